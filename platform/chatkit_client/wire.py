"""aiohttp's response protocol with a memory bound on what precedes the body, and with an answer to "was it stale?".

aiohttp 3.14 caps each header but not their sum, queues every interim answer (20,000 × `100 Continue`), and doesn't tell
a connection that the server had closed while idle from one that broke in mid-answer. Only here the bytes of an answer
are seen, so these three are decided here. Private names of aiohttp that this leans on: `_parser`, `_payload`
(`ResponseHandler`) and `_factory` (`TCPConnector`); `tests/chatkit_client` fails when one of them changes its meaning.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any, Final

import aiohttp
from aiohttp.client_proto import ResponseHandler

# Interim answers and the final head together; a real head has about 1 KiB.
MAX_HEAD: Final = 64 * 1024
# Parsed in pieces, so that a read of 256 KiB full of interim answers never stands in memory as parsed messages.
_PIECE: Final = 8 * 1024


class HeadTooLarge(Exception):
    """More than `MAX_HEAD` bytes came before the body."""


class StaleConnection(Exception):
    """A kept-alive connection was closed before one byte of this answer came: the request may be sent once more."""


class BoundedHandler(ResponseHandler):
    """One connection; `broke_off` tells a reset from an orderly end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.broke_off = False
        self._served = 0
        self._received = 0
        self._head_bytes = 0
        self._head_done = False

    def set_response_params(self, **params: Any) -> None:
        self._served += 1
        self._received = self._head_bytes = 0
        self._head_done = False
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._head_done and data:
            self._receive_body(data)
            return
        # Before the first request there is no parser: aiohttp keeps such bytes and stops reading at its own bound.
        # It also calls with no data at all, to set its own parser going again after a pause.
        if self._parser is None or not data:
            super().data_received(data)
            return
        self._receive_head(data)

    def feed_data(self, item: Any, size: int = 0) -> None:
        if self._head_done:
            # A second answer to one request would be taken for that of the next request on this connection.
            self.abort()
            return
        status = item[0].code
        if 100 <= status <= 199 and status != 101:
            return
        self._head_done = True
        super().feed_data(item, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.broke_off = exc is not None
        super().connection_lost(exc)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        is_loss = isinstance(exc, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError))
        if is_loss and self._served > 1 and not self._received:
            exc = StaleConnection()
        super().set_exception(exc, *cause)

    def _receive_head(self, data: bytes) -> None:
        start = 0
        while start < len(data) and not self._head_done and self.exception() is None:
            piece = data[start : start + _PIECE]
            start += _PIECE
            self._head_bytes += len(piece)
            super().data_received(piece)
            if self._head_bytes > MAX_HEAD and not self._head_done:
                self.set_exception(HeadTooLarge())
                self.abort()
                return
        if start < len(data) and self._head_done:
            self._receive_body(data[start:])

    def _receive_body(self, data: bytes) -> None:
        if self._payload is None or self._payload.is_eof():
            # Nobody asked for these bytes: the connection must not carry another request.
            self.abort()
            return
        super().data_received(data)


class BoundedConnector(aiohttp.TCPConnector):
    """A pool whose connections are `BoundedHandler`s."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        factory: Any = functools.partial(BoundedHandler, loop=self._loop)
        self._factory = factory
