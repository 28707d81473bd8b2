"""The visitors: a closed loop of callers on raw sockets, each of whom asks again as soon as it is answered.

One thread on epoll, about 15 µs for a call, so that a contestant and not its audience is what is measured.
"""

import re
import select
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END: Final = b"\r\n\r\n"
# What is still unanswered when a window ends is waited for, so that the next window meets an idle contestant.
DRAIN_SECONDS: Final = 60.0
# A caller who was refused asks again after this time, as our own script would.
PAUSE_SECONDS: Final = 1.0
# Stands for a status where the connection was closed instead of answering.
NO_ANSWER: Final = 0


class Broken(Exception):
    """A contestant does not speak as it should; the text says how."""


class Caller:
    """One visitor. `learn` makes its next request from an answer's body; None: it stays as it is.

    What is heard of one who is not `is_counted` goes to `Heard.others` alone.
    """

    __slots__ = ("asked_at", "buffer", "is_counted", "is_waiting", "learn", "port", "request", "sock", "tls")

    def __init__(
        self,
        port: int,
        request: bytes,
        *,
        learn: Callable[[bytes], bytes | None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port, self.request, self.learn, self.tls = port, request, learn, tls
        self.sock: socket.socket | None = None
        self.buffer = b""
        self.asked_at = 0.0
        self.is_waiting = False
        self.is_counted = True

    def connect(self) -> None:
        try:
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        except OSError as problem:
            raise Broken(f"Nobody takes connections on port {self.port}: {problem}.") from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self.tls.wrap_socket(sock, server_hostname="127.0.0.1") if self.tls else sock
        self.sock.setblocking(False)
        self.buffer = b""


@dataclass
class Heard:
    """What a window brought: latencies in seconds of the answers within it; the counts are of all that was sent."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    granted: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    others: Counter[int] = field(default_factory=Counter)


class Audience:
    """Drives callers through one window."""

    def __init__(self, callers: list[Caller]) -> None:
        self._callers = callers
        self._poll = select.epoll()
        self._by_number: dict[int, Caller] = {}
        self._paused: list[tuple[float, Caller]] = []
        self._unanswered = 0
        self._starts_at = self._ends_at = 0.0
        self._is_counting = False
        self.heard = Heard()

    def listen(
        self,
        *,
        seconds: float,
        warm_up: float,
        at_start: Callable[[], None] = lambda: None,
        at_end: Callable[[], None] = lambda: None,
    ) -> Heard:
        """Ask for `warm_up` and then `seconds`; `at_start` and `at_end` are called at the window's edges."""
        begun = time.monotonic()
        self._ends_at = float("inf")
        for caller in self._callers:
            self._open(caller)
            self._ask(caller)
        self._run(until=begun + warm_up)
        at_start()
        self._starts_at = time.monotonic()
        self._ends_at = self._starts_at + seconds
        self._is_counting = True
        self._run(until=self._ends_at)
        self._is_counting = False
        at_end()
        self.heard.seconds = time.monotonic() - self._starts_at
        self._drain()
        return self.heard

    def _run(self, *, until: float) -> None:
        while (now := time.monotonic()) < until:
            self._wake(now)
            pause = min(until, self._paused[0][0]) - now if self._paused else until - now
            self._step(pause)

    def _drain(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        self._paused.clear()
        while self._unanswered:
            if time.monotonic() > until:
                raise Broken(f"{self._unanswered} calls were not answered within {DRAIN_SECONDS:.0f} s.")
            self._step(1.0)
        for caller in self._callers:
            self._close(caller)
        self._poll.close()

    def _step(self, pause: float) -> None:
        for number, _ in self._poll.poll(max(0.0, pause)):
            caller = self._by_number.get(number)
            if caller is not None:
                self._hear(caller)

    def _wake(self, now: float) -> None:
        while self._paused and self._paused[0][0] <= now:
            self._ask(self._paused.pop(0)[1])

    def _open(self, caller: Caller) -> None:
        caller.connect()
        assert caller.sock is not None  # noqa: S101 it was just made
        number = caller.sock.fileno()
        self._by_number[number] = caller
        self._poll.register(number, select.EPOLLIN)

    def _close(self, caller: Caller) -> None:
        if caller.sock is not None:
            number = caller.sock.fileno()
            self._poll.unregister(number)
            del self._by_number[number]
            caller.sock.close()
            caller.sock = None

    def _ask(self, caller: Caller) -> None:
        if caller.sock is None:
            self._open(caller)
        assert caller.sock is not None  # noqa: S101 it was just opened
        caller.asked_at = time.monotonic()
        try:
            caller.sock.send(caller.request)
        except OSError:
            # The server closed an idle connection at this very moment; nothing was asked yet.
            self._close(caller)
            self._ask(caller)
            return
        caller.is_waiting = True
        self._unanswered += 1

    def _hear(self, caller: Caller) -> None:
        assert caller.sock is not None  # noqa: S101 it was polled
        try:
            data = caller.sock.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self._hung_up(caller)
            return
        buffer = caller.buffer + data if caller.buffer else data
        head, found, body = buffer.partition(_HEAD_END)
        length = _LENGTH.search(head) if found else None
        if found and length is None:
            raise Broken("An answer has no Content-Length.")
        if length is None or len(body) < int(length[1]):
            caller.buffer = buffer
            return
        caller.buffer = b""
        self._answered(caller, status=int(head[9:12]), body=body)

    def _answered(self, caller: Caller, *, status: int, body: bytes) -> None:
        now = time.monotonic()
        caller.is_waiting = False
        self._unanswered -= 1
        if not caller.is_counted:
            self.heard.others[status] += 1
        elif status == 200:
            self._granted(caller, now, body)
        else:
            self.heard.refused[status] += 1
        if now >= self._ends_at:
            return
        if status == 200:
            self._ask(caller)
        else:
            self._paused.append((now + PAUSE_SECONDS, caller))

    def _granted(self, caller: Caller, now: float, body: bytes) -> None:
        if b"client_secret" not in body:
            raise Broken("An answer of 200 holds no client_secret.")
        self.heard.granted += 1
        if self._is_counting:
            self.heard.latencies.append(now - caller.asked_at)
        if caller.learn is not None:
            caller.request = caller.learn(body) or caller.request

    def _hung_up(self, caller: Caller) -> None:
        """A server may close a connection between two calls; in the middle of one it has failed its visitor."""
        self._close(caller)
        if not caller.is_waiting:
            return
        caller.is_waiting = False
        self._unanswered -= 1
        (self.heard.refused if caller.is_counted else self.heard.others)[NO_ANSWER] += 1
        if time.monotonic() < self._ends_at:
            self._paused.append((time.monotonic() + PAUSE_SECONDS, caller))
