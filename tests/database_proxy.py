"""A TCP proxy before PostgreSQL that can be cut, so that one process loses its database and nobody else does.

with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url) as platform:
    proxy.cut()
    proxy.mend()
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection


class DatabaseProxy:
    """Passes bytes on while it is whole; while it is cut, connections are reset and new ones refused."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._ends: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        database = connection.settings_dict
        login = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
        return f"postgres://{login}@127.0.0.1:{self.port}/{database['NAME']}"

    def cut(self) -> None:
        for end in (self._listener, *self._ends):
            # Closing alone would leave a thread that waits in `accept` or `recv` where it is.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        self._listener = self._listen(self.port)

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._ends |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_proxy() -> Iterator[DatabaseProxy]:
    """Before the database of the running test, which has to be PostgreSQL."""
    database = connection.settings_dict
    proxy = DatabaseProxy((database["HOST"], int(database["PORT"] or 5432)))
    try:
        yield proxy
    finally:
        proxy.cut()
