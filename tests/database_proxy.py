"""A TCP proxy before PostgreSQL that can be cut, so that one process loses its database and nobody else does.

with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url) as platform:
    proxy.cut()             # connections are reset, new ones refused
    proxy.mend()
    proxy.mute()            # what is asked arrives, and no answer comes back: a commit's, for instance
    proxy.slow_down(5)      # each answer comes so many seconds late
    proxy.mend()
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import connection


class DatabaseProxy:
    """Passes bytes on while it is whole."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._ends: set[socket.socket] = set()
        self._is_cut = False
        self._is_muted = False
        self._seconds = 0.0
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        database = connection.settings_dict
        login = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
        return f"postgres://{login}@127.0.0.1:{self.port}/{database['NAME']}"

    def cut(self) -> None:
        self._is_cut = True
        self._close(self._listener, *self._ends)

    def mute(self) -> None:
        self._is_muted = True

    def slow_down(self, seconds: float) -> None:
        self._seconds = seconds

    def mend(self) -> None:
        """Whole again. What was muted has lost answers, so its connections end."""
        self._seconds = 0.0
        if self._is_muted:
            self._is_muted = False
            self._close(*self._ends)
        if self._is_cut:
            self._is_cut = False
            self._listener = self._listen(self.port)

    def _close(self, *ends: socket.socket) -> None:
        for end in ends:
            # Closing alone would leave a thread that waits in `accept` or `recv` where it is.
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.difference_update(ends)

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
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
            threading.Thread(target=self._pump_answers, args=(server, client), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        self._end(source, sink)

    def _pump_answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self._is_muted:
                    continue
                if self._seconds:
                    time.sleep(self._seconds)
                client.sendall(data)
        self._end(server, client)

    def _end(self, *ends: socket.socket) -> None:
        for end in ends:
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
