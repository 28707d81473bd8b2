"""When a quota's period begins and ends, and how long a page is told to wait for it."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.quotas import LONGEST_WAIT, Period, Quota

TENANT = uuid.UUID(int=7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_quota(most: int = 3, period: Period = Period.DAY, *, when: str = "2026-11-24 12:00") -> Quota:
    return Quota.of(TENANT, period, most, at=at(when))


@pytest.mark.parametrize(
    ("period", "moment", "start", "end"),
    [
        (Period.DAY, "2026-11-24 00:00:00", "2026-11-24", "2026-11-25"),
        (Period.DAY, "2026-11-24 23:59:59.999999", "2026-11-24", "2026-11-25"),
        (Period.DAY, "2026-12-31 12:00", "2026-12-31", "2027-01-01"),
        (Period.DAY, "2028-02-29 12:00", "2028-02-29", "2028-03-01"),
        (Period.MONTH, "2026-11-01 00:00", "2026-11-01", "2026-12-01"),
        (Period.MONTH, "2026-11-30 23:59:59.999999", "2026-11-01", "2026-12-01"),
        (Period.MONTH, "2026-12-31 12:00", "2026-12-01", "2027-01-01"),
        (Period.MONTH, "2027-01-31 12:00", "2027-01-01", "2027-02-01"),
        (Period.MONTH, "2027-02-28 12:00", "2027-02-01", "2027-03-01"),
        (Period.MONTH, "2028-02-29 12:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_days_and_months_are_those_of_utc(period, moment, start, end):
    assert period.bounds(at(moment)) == (at(start), at(end))


def test_a_time_of_another_zone_lies_in_the_day_of_utc():
    in_tokyo = datetime(2026, 11, 25, 8, 59, tzinfo=timezone(timedelta(hours=9)))

    assert Period.DAY.bounds(in_tokyo) == (at("2026-11-24"), at("2026-11-25"))


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        ("2026-11-24 12:00", LONGEST_WAIT),
        ("2026-11-24 23:00:00", 3600),
        ("2026-11-24 23:00:01", 3599),
        ("2026-11-24 23:59:58.500", 1.5),
        ("2026-11-24 23:59:59.900", 1),
        ("2026-11-25 00:00:05", 1),
    ],
)
def test_a_page_is_told_to_wait_for_the_next_period_but_looks_again_each_hour(now, seconds):
    """A quota that is raised at noon must not leave pages shut until midnight."""
    assert a_quota().retry_after(at(now)) == seconds


def test_each_tenant_period_and_day_has_a_counter_of_its_own():
    one = a_quota()
    others = [
        a_quota(period=Period.MONTH),
        a_quota(when="2026-11-25 00:00"),
        Quota.of(uuid.UUID(int=8), Period.DAY, 3, at=at("2026-11-24 12:00")),
    ]

    assert one.key == "quota:00000000000000000000000000000007:day:20261124"
    assert len({one.key, *(other.key for other in others)}) == 4
    assert a_quota(99).key == one.key
    assert (one.reason, others[0].reason) == ("quota_day", "quota_month")
    assert not one.is_on_trial
