"""Quotas: so many sessions of one tenant in a day or a calendar month, by UTC."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

# Longer, a page would not look again even after somebody has raised the quota.
LONGEST_WAIT: Final = 3600


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"

    def bounds(self, at: datetime) -> tuple[datetime, datetime]:
        """Start (counted in) and end (not) of the period in which `at` lies."""
        midnight = _midnight(at.astimezone(UTC).date())
        if self is Period.DAY:
            return midnight, midnight + timedelta(days=1)
        first = midnight.replace(day=1)
        # The 28th and four days lie in the next month, whatever the month.
        return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1)


@dataclass(frozen=True, slots=True)
class Quota:
    """At most `most` (≥ 1) sessions of a tenant in one period. On trial it refuses nobody, and counts on."""

    tenant_id: uuid.UUID
    period: Period
    starts_at: datetime
    ends_at: datetime
    most: int
    is_on_trial: bool = False
    # What its counter is called, in Redis and in the twin.
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"quota:{self.tenant_id.hex}:{self.period}:{self.starts_at:%Y%m%d}")

    @staticmethod
    def of(tenant_id: uuid.UUID, period: Period, most: int, *, at: datetime, is_on_trial: bool = False) -> "Quota":
        """That of the period in which `at` lies."""
        return _quota(tenant_id, period, most, at.astimezone(UTC).date(), is_on_trial)

    @property
    def reason(self) -> str:
        return f"quota_{self.period}"

    def retry_after(self, now: datetime) -> float:
        """Seconds until the next period begins, within what a page should wait without looking again."""
        return min(max(1.0, (self.ends_at - now).total_seconds()), LONGEST_WAIT)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=4096)
def _quota(tenant_id: uuid.UUID, period: Period, most: int, day: date, is_on_trial: bool) -> Quota:
    """Of a busy tenant each session asks for the same one."""
    return Quota(tenant_id, period, *period.bounds(_midnight(day)), most, is_on_trial)
