"""Budgets: so many tokens, or so much money, of a tenant or of one of its visitors in a day or a month, by UTC."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from gateway.quotas import LONGEST_WAIT, Period

# What is in work now may turn out to need less than was reserved for it.
SHORT_WAIT: Final = 10.0


class Measure(StrEnum):
    TOKENS = "tokens"
    # In microdollars: millionths of a US dollar.
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `most` (≥ 1) in one period. On trial it refuses nobody, and counts on.

    `visitor_ref` is blank for the tenant as a whole; `reason` is what a refusal is called in the ledger.
    """

    tenant_id: uuid.UUID
    visitor_ref: str
    measure: Measure
    starts_at: datetime
    ends_at: datetime
    most: int
    reason: str
    is_on_trial: bool = False
    # What its counter is called, in Redis and in the twin.
    key: str = field(init=False)

    def __post_init__(self) -> None:
        whose = f"{self.tenant_id.hex}:{self.visitor_ref}"
        days = (self.ends_at - self.starts_at).days
        object.__setattr__(self, "key", f"budget:{self.measure}:{whose}:{self.starts_at:%Y%m%d}:{days}")

    @staticmethod
    def of(
        tenant_id: uuid.UUID,
        measure: Measure,
        period: Period,
        most: int,
        *,
        at: datetime,
        reason: str,
        visitor_ref: str = "",
        is_on_trial: bool = False,
    ) -> "Budget":
        """That of the period in which `at` lies."""
        starts_at, ends_at = period.bounds(at)
        return Budget(tenant_id, visitor_ref, measure, starts_at, ends_at, most, reason, is_on_trial)


@dataclass(frozen=True, slots=True)
class Charge:
    """What one run is expected to take of one budget."""

    budget: Budget
    amount: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What became of a question for room in several budgets: all of them or none.

    A run is let in while something is left: what is used and what is held for runs in work together are less than the budget.
    So budgets are overrun by at most one reservation, as long as no run takes more than was reserved for it.

    `used` and `held` are what each counter stood at before. `is_unknown`: nothing was decided, since one has no counter yet.
    """

    run_id: str
    charges: Sequence[Charge] = ()
    refused_by: Budget | None = None
    on_trial: tuple[str, ...] = ()
    used: Sequence[int] = ()
    held: Sequence[int] = ()
    is_unknown: bool = False
    is_by_redis: bool = False

    @property
    def is_admitted(self) -> bool:
        return self.refused_by is None and not self.is_unknown

    def retry_after(self, now: datetime) -> float:
        """Seconds after which it is worth asking again; 0 where nothing refused."""
        if self.refused_by is None:
            return 0.0
        used = next(
            used for used, charge in zip(self.used, self.charges, strict=True) if charge.budget is self.refused_by
        )
        if used < self.refused_by.most:
            return SHORT_WAIT
        return min(max(1.0, (self.refused_by.ends_at - now.astimezone(UTC)).total_seconds()), LONGEST_WAIT)
