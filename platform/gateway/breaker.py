"""Circuit breakers: what fails again and again is left alone for a while, then tried by exactly one call.

    closed     calls pass; too many failures in 10 s open it
    open       calls are refused for 5 s, or for as long as the other side asked
    half-open  one call passes as the probe, the others are refused; its outcome closes or opens the breaker

Too many, for the breaker of one caller: at least 5 failures, and at least half of the calls. For the breaker of a host
that many callers share: at least 5 failures of at least two callers, and at least half of the callers get nothing but
failures. So one tenant whose calls hang, however many they are, never closes the host to the others.

One event loop uses them and no method awaits, so there is no lock, least of all during a call.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

WINDOW_SECONDS: Final = 10
MIN_FAILURES: Final = 5
MIN_FAILING_CALLERS: Final = 2
OPEN_SECONDS: Final = 5.0
Clock = Callable[[], float]


class _State(Enum):
    CLOSED = auto()
    OPEN = auto()
    PROBING = auto()


@dataclass(slots=True)
class _Second:
    """What happened in one second of the window; the sets hold who called."""

    second: int
    successes: int = 0
    failures: int = 0
    served: set[Hashable] = field(default_factory=set)
    failed: set[Hashable] = field(default_factory=set)


class Breaker:
    """`reason` is what the last failure was called, for whoever is refused because of it."""

    def __init__(self, *, is_shared: bool = False, clock: Clock = time.monotonic) -> None:
        self._is_shared = is_shared
        self._clock = clock
        self._state = _State.CLOSED
        self._open_until = 0.0
        self._window: list[_Second] = []
        self.reason = ""

    def enter(self, caller: Hashable = None) -> "Passage | None":
        """Leave to make one call, to be given back by exactly one word on its outcome; None when refused."""
        if self._state is _State.CLOSED:
            return Passage(self, caller, is_probe=False)
        if self._state is _State.PROBING or self._clock() < self._open_until:
            return None
        self._state = _State.PROBING
        return Passage(self, caller, is_probe=True)

    @property
    def is_closed(self) -> bool:
        return self._state is _State.CLOSED

    def retry_after(self) -> float:
        """Seconds until a refused caller may try again; a running probe is given a second."""
        return max(1.0, self._open_until - self._clock())

    def _succeeded(self, passage: "Passage") -> None:
        if passage.is_probe:
            self._state = _State.CLOSED
            self._window.clear()
        now = self._now()
        now.successes += 1
        if self._is_shared:
            now.served.add(passage.caller)

    def _failed(self, passage: "Passage", *, reason: str, cool_down: float | None) -> None:
        self.reason = reason
        now = self._now()
        now.failures += 1
        if self._is_shared:
            now.failed.add(passage.caller)
        is_too_much = self._state is _State.CLOSED and self._has_too_many_failures()
        if passage.is_probe or cool_down is not None or is_too_much:
            until = self._clock() + (OPEN_SECONDS if cool_down is None else cool_down)
            # A call that began before it opened may end after: what it asks for never shortens what others were told.
            self._open_until = max(self._open_until, until) if self._state is _State.OPEN else until
            self._state = _State.OPEN

    def _abandoned(self, passage: "Passage") -> None:
        # The next caller becomes the probe.
        if passage.is_probe and self._state is _State.PROBING:
            self._state = _State.OPEN

    def _now(self) -> _Second:
        second = int(self._clock())
        if not self._window or self._window[-1].second != second:
            self._window = [past for past in self._window if past.second > second - WINDOW_SECONDS]
            self._window.append(_Second(second))
        return self._window[-1]

    def _has_too_many_failures(self) -> bool:
        failures = sum(past.failures for past in self._window)
        if failures < MIN_FAILURES:
            return False
        if not self._is_shared:
            return failures >= sum(past.successes for past in self._window)
        served = set[Hashable]().union(*(past.served for past in self._window))
        failing = set[Hashable]().union(*(past.failed for past in self._window)) - served
        return len(failing) >= MIN_FAILING_CALLERS and len(failing) >= len(served)


class Passage:
    """Leave for one call. Given up without a word (the caller was cancelled), it counts as neither."""

    __slots__ = ("_breaker", "_is_open", "caller", "is_probe")

    def __init__(self, breaker: Breaker, caller: Hashable, *, is_probe: bool) -> None:
        self._breaker = breaker
        self._is_open = True
        self.caller = caller
        self.is_probe = is_probe

    def succeeded(self) -> None:
        if self._close():
            self._breaker._succeeded(self)

    def failed(self, reason: str, *, cool_down: float | None = None) -> None:
        """`cool_down`: the other side asked to be left alone for so many seconds."""
        if self._close():
            self._breaker._failed(self, reason=reason, cool_down=cool_down)

    def abandoned(self) -> None:
        if self._close():
            self._breaker._abandoned(self)

    def _close(self) -> bool:
        was_open, self._is_open = self._is_open, False
        return was_open


class Breakers:
    """The breakers of a process by name; the one that was used least lately is forgotten first."""

    def __init__(self, *, most: int = 20_000, clock: Clock = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._of_callers: OrderedDict[Hashable, Breaker] = OrderedDict()
        # As many as the operator's allow-list has addresses.
        self._of_hosts: dict[str, Breaker] = {}

    def of_host(self, base_url: str) -> Breaker:
        if base_url not in self._of_hosts:
            self._of_hosts[base_url] = Breaker(is_shared=True, clock=self._clock)
        return self._of_hosts[base_url]

    def of(self, caller: Hashable) -> Breaker:
        breaker = self._of_callers.get(caller)
        if breaker is None:
            breaker = self._of_callers[caller] = Breaker(clock=self._clock)
            if len(self._of_callers) > self._most:
                self._of_callers.popitem(last=False)
        else:
            self._of_callers.move_to_end(caller)
        return breaker
