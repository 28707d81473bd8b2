"""The visitors of chats: each sends one message on a connection of its own and reads the answer as it comes.

One thread on epoll. Arrivals are an open loop: a message is sent when its time has come, whatever became of those before.
"""

import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.callers import Broken

_FIRST_WORDS: Final = b"assistant_message.content_part.text_delta"
_FAILED: Final = b'"type":"error"'
_WHOLE: Final = b'"type":"thread.item.done","item":{"id":"msg_'
_END: Final = b"0\r\n\r\n"
HEARTBEAT: Final = b": ping\n\n"
LATE_SECONDS: Final = 30.0


@dataclass(slots=True)
class Talk:
    """One message and what was heard of it; times in seconds of the monotonic clock, 0 where nothing came."""

    port: int
    request: bytes
    due: float = 0.0
    asked_at: float = 0.0
    first_at: float = 0.0
    status: int = 0
    heartbeats: int = 0
    pieces: int = 0
    is_whole: bool = False
    is_over: bool = False
    has_failed: bool = False
    sock: socket.socket | None = None
    tail: bytes = b""
    heard: bytes = field(default=b"", repr=False)

    def begin(self) -> int:
        try:
            self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        except OSError as problem:
            raise Broken(f"Nobody takes connections on port {self.port}: {problem}.") from None
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = time.monotonic()
        self.sock.send(self.request)
        self.sock.setblocking(False)
        return self.sock.fileno()

    def hear(self) -> bool:
        """Read what is there; whether it is over."""
        assert self.sock is not None  # noqa: S101 it was begun
        try:
            data = self.sock.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.is_over = True
            return True
        now = time.monotonic()
        known = len(self.tail)
        text = self.tail + data
        if not self.status:
            self.status = int(text[9:12])
            self.heard = text[:600]
        if not self.first_at and _FIRST_WORDS in text:
            self.first_at = now
        # What lies wholly within the tail was counted before.
        start = max(0, known - len(HEARTBEAT) + 1)
        self.heartbeats += text.count(HEARTBEAT, start)
        self.pieces += text.count(_FIRST_WORDS, max(0, known - len(_FIRST_WORDS) + 1))
        if _FAILED in text:
            self.has_failed = True
            self.heard = text[-600:]
        self.is_whole = self.is_whole or _WHOLE in text
        self.is_over = text.endswith(_END) or (self.status != 200 and b"\r\n\r\n" in text)
        self.tail = text[-80:]
        return self.is_over

    def leave(self) -> None:
        if self.sock is not None:
            self.sock.close()
            self.sock = None


def hold(
    talks: Sequence[Talk],
    *,
    until: float | None = None,
    at_end: Callable[[], None] = lambda: None,
) -> None:
    """Send each at its `due` and read all: until they are over, or until this moment, whatever is still open.

    `at_end` is called before anybody leaves. Raises Broken where an answer doesn't end.
    """
    poll = select.epoll()
    by_number: dict[int, Talk] = {}
    waiting = sorted(talks, key=lambda talk: talk.due, reverse=True)
    last = until if until is not None else max(talk.due for talk in talks) + LATE_SECONDS
    try:
        while waiting or by_number:
            now = time.monotonic()
            if now >= last:
                break
            while waiting and waiting[-1].due <= now:
                talk = waiting.pop()
                number = talk.begin()
                by_number[number] = talk
                poll.register(number, select.EPOLLIN)
            pause = min(last, waiting[-1].due if waiting else last) - time.monotonic()
            for number, _ in poll.poll(max(0.0, pause)):
                talk = by_number[number]
                if talk.hear():
                    poll.unregister(number)
                    del by_number[number]
                    talk.leave()
        if until is None and (waiting or by_number):
            raise Broken(f"{len(waiting) + len(by_number)} answers did not end within {LATE_SECONDS:.0f} s.")
        at_end()
    finally:
        for talk in by_number.values():
            talk.leave()
        poll.close()
