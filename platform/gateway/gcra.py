"""The generic cell rate algorithm: one number per key, no window edges.

The number is the theoretical arrival time (TAT) of the next request. A request is admitted when the TAT lies no further
ahead of now than the tolerance; admitted, it moves the TAT on by one interval. A limit of n a minute has an interval of
60/n s and a tolerance of n - 1 intervals: n at once, then one each interval.

All times are whole microseconds, here and in Redis: requests that are decided at the very same moment leave no room for
the rounding of fractions.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_minute` (≥ 1) for whatever `key` names; `reason` is what a refusal is called in the ledger."""

    key: str
    per_minute: int
    reason: str

    @property
    def interval(self) -> int:
        return MINUTE // self.per_minute

    @property
    def tolerance(self) -> int:
        return self.interval * (self.per_minute - 1)


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The first limit that refuses, and the seconds until it would admit."""

    limit: Limit
    retry_after: float


class Ledger:
    """TATs in this process's memory: the twin of `redis_limits`. The oldest keys go when there are too many."""

    def __init__(self, *, most: int = 50_000) -> None:
        self._most = most
        self._tats: OrderedDict[str, int] = OrderedDict()

    def take(self, limits: Sequence[Limit], *, now: int) -> Exceeded | None:
        """Admit one request under all limits at once, or charge none of them; `now` in microseconds."""
        for limit in limits:
            beyond = self._tats.get(limit.key, now) - now - limit.tolerance
            if beyond > 0:
                return Exceeded(limit, beyond / 1e6)
        self.charge(limits, now=now)
        return None

    def charge(self, limits: Sequence[Limit], *, now: int) -> None:
        for limit in limits:
            self._tats[limit.key] = max(self._tats.get(limit.key, now), now) + limit.interval
            self._tats.move_to_end(limit.key)
        while len(self._tats) > self._most:
            self._tats.popitem(last=False)
