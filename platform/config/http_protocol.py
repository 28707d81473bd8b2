"""uvicorn's HTTP protocol with bounds on a request's head: uvicorn itself waits for ever, and keeps whatever comes.

Give it to the server as `--http config.http_protocol:BoundedHead`. A head that is not whole within 10 s ends the
connection; one of more than 32 KiB or 100 fields is answered with 400. Bodies are bounded by the doors, and connections
that idle between requests by uvicorn's own keep-alive timeout.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10.0
MAX_HEAD_BYTES: Final = 32 * 1024
MAX_FIELDS: Final = 100


class HeadTooLarge(Exception):
    """Raised inside the parser, which answers with 400 and closes the connection."""


class BoundedHead(HttpToolsProtocol):
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_timer is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # Of a further request on a connection that was kept alive; the first one is awaited since the connection was made.
        if self._head_timer is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES or len(self.headers) > MAX_FIELDS:
            raise HeadTooLarge
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()
