"""A raw HTTP server for these tests: it answers byte by byte what a test says, over real sockets."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

GOOD = {
    "id": "cksess_abc",
    "object": "chatkit.session",
    "status": "active",
    "expires_at": 1_800_000_000,
    "client_secret": "ek_abc",
    "workflow": {"id": "wf_1", "version": None, "state_variables": None, "tracing": {"enabled": True}},
}


@dataclass
class Seen:
    """One request as it came over the wire; `turn` counts the requests of its connection from 1."""

    head: str
    body: bytes
    turn: int

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    @property
    def target(self) -> str:
        return self.head.split(" ", 2)[1]


Play = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    port: int
    scheme: str = "http"
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"


def whole(body: bytes | dict, status: str = "200 OK", **headers: str) -> bytes:
    """A complete answer; `content_type=...` and other headers by keyword, with underscores for hyphens."""
    raw = json.dumps(body).encode() if isinstance(body, dict) else body
    named = {"content-type": "application/json", "content-length": str(len(raw))}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + raw


def error(
    status: str, message: str = "No.", code: str | None = None, kind: str = "invalid_request_error", **headers: str
):
    return whole({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, **headers)


def reset(writer: asyncio.StreamWriter) -> None:
    """Drops the connection with a TCP reset."""
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def says(answer: bytes) -> Play:
    """Answers every request with these bytes and keeps the connection."""

    async def play(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return play


def says_and_ends(answer: bytes) -> Play:
    async def play(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return play


async def good(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(whole(GOOD))


@contextlib.asynccontextmanager
async def upstream(play: Play, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_state.connections += 1
        writers.add(writer)
        tasks.add(asyncio.current_task())
        turn = 0
        # Cancelled at the end of a test; asyncio's streams log a handler that ends as cancelled.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                turn += 1
                seen = Seen(head, b"", turn)
                seen.body = await reader.readexactly(int(seen.header("content-length") or 0))
                server_state.seen.append(seen)
                await play(seen, writer)
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls, limit=2**20)
    server_state = Upstream(server.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield server_state
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
