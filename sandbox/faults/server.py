"""A raw asyncio server that plays the faults: whatever bytes, whenever, which no HTTP library would send.

The fault is named by the first part of the path, so that one server serves any number of tests at once and the code
under test needs only another base URL:

    with running_faults() as faults:
        client.send(faults.base_url("header_drip"))           # http://127.0.0.1:…/header_drip/v1
        client.send(faults.base_url("redirect_307", target=other.base_url("ok")))
        assert other.seen == []

`seen` tells what arrived: which fault, method, path, whether Authorization was there and the key's fingerprint.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.background import running
from sandbox.faults.table import FAULTS
from sandbox.faults.wire import Received, StreamWire
from sandbox.keys import fingerprint_of

LARGEST_HEAD = 256 * 1024


@dataclass(frozen=True)
class Seen:
    """One request that reached a fault."""

    fault: str
    method: str
    path: str
    turn: int
    has_authorization: bool
    key: str | None
    headers: Mapping[str, str] = field(repr=False)


class FaultServer:
    def __init__(self, *, default: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self.connections = 0
        self.port = 0
        self._default = default
        self._tls = tls
        self._exposed: dict[str, tuple[str, Mapping[str, Any]]] = {name: (name, {}) for name in FAULTS}
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None

    def base_url(self, fault: str, *, host: str = "127.0.0.1", **options: Any) -> str:
        """The base URL under which every call meets this fault, played with these options."""
        if fault not in FAULTS:
            raise KeyError(f"no fault is called {fault!r}; `python -m sandbox.faults --list` shows them")
        part = fault
        if options:
            part = f"{fault}.{next(self._numbers)}"
            self._exposed[part] = (fault, options)
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}/{part}/v1"

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = await asyncio.start_server(self._converse, host, port, limit=LARGEST_HEAD, ssl=self._tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError):
                await self._answer_all(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()  # The server stops: whoever is still being dripped on is cut off.
            return
        with suppress(ConnectionError, ssl.SSLError, TimeoutError):
            writer.close()
            await writer.wait_closed()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for turn in itertools.count(1):
            received = await read_request(reader, turn)
            part = received.path.lstrip("/").partition("/")[0]
            name, options = self._exposed.get(part, (self._default or "status_404", {}))
            self._note(name, received)
            wire = StreamWire(writer, options)
            await FAULTS[name].play(wire, received)
            if not FAULTS[name].keeps_alive or wire.is_gone:
                return

    def _note(self, fault: str, received: Received) -> None:
        key = fingerprint_of(received.key) if received.key else None
        has_authorization = "authorization" in received.headers
        told = {name: value for name, value in received.headers.items() if name != "authorization"}
        self.seen.append(Seen(fault, received.method, received.path, received.turn, has_authorization, key, told))


async def read_request(reader: asyncio.StreamReader, turn: int = 1) -> Received:
    """One whole request, so that what follows is never cut off by unread bytes."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, _, rest = first.partition(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name
    }
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await reader.readuntil(b"0\r\n\r\n")
    else:
        body = await reader.readexactly(int(headers.get("content-length") or 0))
    return Received(method, rest.rpartition(" ")[0], headers, body, turn)


@contextmanager
def running_faults(
    *, default: str | None = None, tls: ssl.SSLContext | None = None, port: int = 0
) -> Iterator[FaultServer]:
    """Starts a fault server on a free port of 127.0.0.1; `default` answers paths that name no fault (else 404)."""
    server = FaultServer(default=default, tls=tls)

    async def start() -> FaultServer:
        await server.start(port=port)
        return server

    with running(start, FaultServer.stop):
        yield server
