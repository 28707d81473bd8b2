"""Faults below HTTP: nobody listens, nobody accepts, or the handshake breaks off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

UNRESOLVABLE = "http://sandbox.invalid/v1"  # RFC 6761: this name never resolves


def refused_base_url() -> str:
    """A base URL on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


@contextmanager
def black_hole() -> Iterator[str]:
    """A base URL that swallows connection attempts: its accept queue is full, so SYNs are dropped (Linux)."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(listener.getsockname())
            fillers.append(filler)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            for filler in fillers:
                filler.close()


@contextmanager
def blunt_server(answer: bytes, *, scheme: str = "https") -> Iterator[str]:
    """A base URL that reads a little, sends these bytes whatever was asked, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return  # The listener was closed: the test is over.
            with peer, suppress(OSError):
                peer.settimeout(2)
                peer.recv(4096)
                peer.sendall(answer)

    thread = threading.Thread(target=serve, name="blunt server", daemon=True)
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(3)
