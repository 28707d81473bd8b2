"""A body that is too large to be read before anybody was asked who sends it: the view reads it, piece by piece, to its own limit."""

import asyncio
from collections.abc import AsyncIterator

from gateway.asgi_types import Receive
from gateway.errors import Code, PublicError


class Upload:
    """Read once. `is_read` says that the whole body has come, so that the connection can carry another request."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_read = False

    async def pieces(self, *, most: int, seconds: float) -> AsyncIterator[bytes]:
        """As they come. Raises PublicError: body_too_large beyond `most` bytes, body_invalid where the client left or takes longer."""
        until = asyncio.get_running_loop().time() + seconds
        size = 0
        while not self.is_read:
            try:
                async with asyncio.timeout_at(until):
                    message = await self._receive()
            except TimeoutError:
                raise PublicError(Code.BODY_INVALID, reason="upload_too_slow") from None
            if message["type"] != "http.request":
                raise PublicError(Code.BODY_INVALID, reason="upload_cut_off")
            piece = bytes(message.get("body", b""))
            size += len(piece)
            if size > most:
                raise PublicError(Code.BODY_TOO_LARGE, reason="upload_too_large")
            self.is_read = not message.get("more_body")
            if piece:
                yield piece
