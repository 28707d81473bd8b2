"""What a fault works with: the request that was received, and a wire on which raw bytes go back.

A fault is written once and played through two doors: the raw server of this package, and the sandbox's own server
(`POST /control/fault`), which hands over the connection beneath aiohttp.
"""

from __future__ import annotations

import socket
import struct
from asyncio import StreamWriter, Transport
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiohttp import web

# Every fault gives up after this long, so that a forgotten caller does not keep a test process busy.
LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Received:
    """One request: header names in lower case; `turn` counts the requests of its connection from 1."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    turn: int = 1

    @property
    def key(self) -> str:
        """What was presented as bearer: only the faults that echo it may look."""
        return self.headers.get("authorization", "").partition(" ")[2].strip()


class Wire(Protocol):
    """The way back. `write` raises ConnectionResetError once the caller has left."""

    options: Mapping[str, Any]

    async def write(self, data: bytes) -> None: ...

    def reset(self) -> None:
        """Drops the connection with a TCP reset."""

    def half_close(self) -> None:
        """Ends our direction and leaves the connection open."""

    @property
    def is_gone(self) -> bool: ...


Play = Callable[[Wire, Received], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`family` is the row of the proof catalogue (U1 to U8); `keeps_alive` leaves the connection to the next call."""

    name: str
    family: str
    says: str
    play: Play
    keeps_alive: bool = False


class _TransportWire:
    def __init__(self, transport: Transport | None, options: Mapping[str, Any]) -> None:
        self._transport = transport
        self.options = options

    @property
    def is_gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def reset(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        peer = self._transport.get_extra_info("socket")
        if peer is not None:
            # A zero linger makes the kernel answer with RST instead of ending the connection in order.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def half_close(self) -> None:
        if self._transport is not None and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the caller has left")
        self._transport.write(data)


class StreamWire(_TransportWire):
    """The wire of the raw server."""

    def __init__(self, writer: StreamWriter, options: Mapping[str, Any]) -> None:
        super().__init__(cast(Transport, writer.transport), options)
        self._writer = writer

    async def write(self, data: bytes) -> None:
        self._send(data)
        await self._writer.drain()


class RequestWire(_TransportWire):
    """The wire beneath a request of aiohttp's server."""

    def __init__(self, request: web.BaseRequest, options: Mapping[str, Any]) -> None:
        super().__init__(request.transport, options)
        self._request = request

    async def write(self, data: bytes) -> None:
        self._send(data)
        await self._request.writer.drain()
