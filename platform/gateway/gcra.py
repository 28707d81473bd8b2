"""The generic cell rate algorithm: one number per key, no window edges.

The number is the theoretical arrival time (TAT) of the next request. A request is admitted when the TAT lies no further
ahead of now than the tolerance; admitted, it moves the TAT on by one interval. A limit of n a minute has an interval of
60/n s and a tolerance of n - 1 intervals: n at once, then one each interval.

All times are whole microseconds, here and in Redis: requests that are decided at the very same moment leave no room for
the rounding of fractions.
"""

from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_minute` (≥ 1) for whatever `key` names; `reason` is what a refusal is called in the ledger.

    `is_callers`: it counts this caller alone, who may be told what is left. `is_on_trial`: it refuses nobody, and says
    what it would have refused; what it would have refused is not charged to it, as if it had.
    """

    key: str
    per_minute: int
    reason: str
    is_callers: bool = False
    is_on_trial: bool = False

    @property
    def interval(self) -> int:
        # More than one in each microsecond is no limit that anybody could tell apart.
        return MINUTE // self.per_minute or 1

    @property
    def tolerance(self) -> int:
        return self.interval * (self.per_minute - 1)

    def left(self, ahead: int) -> int:
        """How many would be admitted at once while the TAT lies `ahead` of now."""
        return 0 if ahead > self.tolerance else (self.tolerance - ahead) // self.interval + 1
