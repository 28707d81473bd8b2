"""The door of files: a lean door that leaves the body to its views, which take it piece by piece and need not keep it."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Final

from django.http import HttpResponse, StreamingHttpResponse

from gateway.asgi_types import Receive, Scope, Send
from gateway.errors import Code, PublicError
from gateway.lean import BODILESS, LeanHandler, LeanRequest

# An honest upload goes on; whoever sends it byte by byte only wants to hold the connection.
IDLE_SECONDS: Final = 15.0
UPLOAD_SECONDS: Final = 180.0


class FileRequest(LeanRequest):
    """`body_is_read` says that nothing is left on the wire which the next request would have to begin after."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, BytesIO(b""), body_is_too_large=False)
        self._receive = receive
        self.body_is_read = not (self.META.get("CONTENT_LENGTH") or self.headers.get("Transfer-Encoding"))

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises PublicError (body_invalid) when the client leaves or is too slow."""
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                while not self.body_is_read:
                    async with asyncio.timeout(IDLE_SECONDS):
                        message = await self._receive()
                    if message["type"] != "http.request":
                        raise PublicError(Code.BODY_INVALID, reason="upload_cut_off")
                    self.body_is_read = not message.get("more_body")
                    if piece := message.get("body", b""):
                        yield piece
        except TimeoutError:
            raise PublicError(Code.BODY_INVALID, reason="upload_too_slow") from None


class FileDoor(LeanHandler):
    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = FileRequest(scope, receive)
        except UnicodeDecodeError:
            await self.send_response(HttpResponse(status=400), send)
            return
        response = await self._middleware_chain(request)
        if isinstance(response, StreamingHttpResponse):
            await self._stream(response, receive, send)
            return
        if not request.body_is_read:
            response["Connection"] = "close"
        if response.status_code not in BODILESS:
            response["Content-Length"] = str(len(response.content))
        await self.send_response(response, send)
