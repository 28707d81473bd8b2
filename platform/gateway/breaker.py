"""Circuit breakers: what fails again and again is left alone for a while, then tried by exactly one call.

One event loop uses them and no method awaits, so there is no lock, least of all during a call.

    closed     calls pass; ≥ 5 failures and ≥ 50 % of the last 10 s open it
    open       calls are refused for 5 s, or for as long as the other side asked
    half-open  one call passes as the probe, the others are refused; its outcome closes or opens the breaker
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from enum import Enum, auto
from typing import Final

WINDOW_SECONDS: Final = 10
MIN_FAILURES: Final = 5
OPEN_SECONDS: Final = 5.0
Clock = Callable[[], float]


class _State(Enum):
    CLOSED = auto()
    OPEN = auto()
    PROBING = auto()


class Breaker:
    """`reason` is what the last failure was called, for whoever is refused because of it."""

    __slots__ = ("_clock", "_counts", "_open_until", "_state", "reason")

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._state = _State.CLOSED
        self._open_until = 0.0
        # Per second of the window: [the second, successes, failures].
        self._counts: list[list[int]] = []
        self.reason = ""

    def enter(self) -> "Passage | None":
        """Leave to make one call, to be given back by exactly one word on its outcome; None when refused."""
        if self._state is _State.CLOSED:
            return Passage(self, is_probe=False)
        if self._state is _State.PROBING or self._clock() < self._open_until:
            return None
        self._state = _State.PROBING
        return Passage(self, is_probe=True)

    @property
    def is_closed(self) -> bool:
        return self._state is _State.CLOSED

    def retry_after(self) -> float:
        """Seconds until a refused caller may try again; a running probe is given a second."""
        return max(1.0, self._open_until - self._clock())

    def _succeeded(self, *, is_probe: bool) -> None:
        if is_probe:
            self._state = _State.CLOSED
            self._counts.clear()
        self._count(failed=False)

    def _failed(self, *, is_probe: bool, reason: str, cool_down: float | None) -> None:
        self.reason = reason
        self._count(failed=True)
        if is_probe or cool_down is not None or (self._state is _State.CLOSED and self._has_too_many_failures()):
            self._state = _State.OPEN
            self._open_until = self._clock() + (OPEN_SECONDS if cool_down is None else cool_down)

    def _abandoned(self, *, is_probe: bool) -> None:
        # The next caller becomes the probe.
        if is_probe and self._state is _State.PROBING:
            self._state = _State.OPEN

    def _count(self, *, failed: bool) -> None:
        second = int(self._clock())
        if not self._counts or self._counts[-1][0] != second:
            self._counts = [count for count in self._counts if count[0] > second - WINDOW_SECONDS]
            self._counts.append([second, 0, 0])
        self._counts[-1][2 if failed else 1] += 1

    def _has_too_many_failures(self) -> bool:
        failures = sum(count[2] for count in self._counts)
        successes = sum(count[1] for count in self._counts)
        return failures >= MIN_FAILURES and failures >= successes


class Passage:
    """Leave for one call. Left without a word (the caller was cancelled), it counts as neither."""

    __slots__ = ("_breaker", "_is_open", "_is_probe")

    def __init__(self, breaker: Breaker, *, is_probe: bool) -> None:
        self._breaker = breaker
        self._is_probe = is_probe
        self._is_open = True

    def succeeded(self) -> None:
        if self._close():
            self._breaker._succeeded(is_probe=self._is_probe)

    def failed(self, reason: str, *, cool_down: float | None = None) -> None:
        """`cool_down`: the other side asked to be left alone for so many seconds."""
        if self._close():
            self._breaker._failed(is_probe=self._is_probe, reason=reason, cool_down=cool_down)

    def abandoned(self) -> None:
        if self._close():
            self._breaker._abandoned(is_probe=self._is_probe)

    def _close(self) -> bool:
        was_open, self._is_open = self._is_open, False
        return was_open


class Breakers:
    """The breakers of a process by name; the one that was used least lately is forgotten first."""

    def __init__(self, *, most: int = 20_000, clock: Clock = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._breakers: OrderedDict[Hashable, Breaker] = OrderedDict()

    def of(self, name: Hashable) -> Breaker:
        breaker = self._breakers.get(name)
        if breaker is None:
            breaker = self._breakers[name] = Breaker(self._clock)
            if len(self._breakers) > self._most:
                self._breakers.popitem(last=False)
        else:
            self._breakers.move_to_end(name)
        return breaker
