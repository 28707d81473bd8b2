"""The stock door's cap on bodies: Django writes a whole body to a temporary file before anybody is asked who they are."""

from typing import Final

from gateway.asgi_types import App, Message, Receive, Scope, Send

REFUSAL: Final = b"This body is too large. Send less.\n"


class _TooLarge(Exception):
    pass


class BodyLimit:
    """Answers 413 for a body over `most` bytes: unread where its length is declared, else as soon as it is passed."""

    def __init__(self, app: App, *, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _declared(scope) > self._most:
            await _refuse(send)
            return
        read = 0

        async def receive_a_little() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise _TooLarge
            return message

        try:
            await self._app(scope, receive_a_little, send)
        except _TooLarge:
            # Django reads the whole body before it answers, so nothing has been sent yet.
            await _refuse(send)


def _declared(scope: Scope) -> int:
    given = dict(scope["headers"]).get(b"content-length", b"")
    return int(given) if given.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", str(len(REFUSAL)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})
