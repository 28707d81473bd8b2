"""The twin by itself: a decision says what was decided on, whatever came of it, and a counter gives back to its last."""

import uuid
from datetime import UTC, datetime

import pytest

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_twin import Twin
from gateway.quotas import Period, Quota

NOW = 10**9


def quota(most: int = 1) -> Quota:
    return Quota.of(uuid.uuid4(), Period.DAY, most, at=datetime(2026, 11, 24, tzinfo=UTC))


def test_every_decision_names_the_limits_and_the_quotas_that_it_was_about() -> None:
    twin, limits, quotas = Twin(), [Limit("tenant", 2, "tenant_limit")], [quota(most=1)]

    unknown = twin.take(limits, quotas, now=NOW)
    twin.raise_to(quotas[0], 0)
    admitted = twin.take(limits, quotas, now=NOW)
    by_quota = twin.take(limits, quotas, now=NOW)
    twin.take(limits, now=NOW)
    by_limit = twin.take(limits, quotas, now=NOW)

    assert (unknown.is_unknown, admitted.is_admitted) == (True, True)
    assert (by_quota.refused_by, by_limit.refused_by) == (quotas[0], limits[0])
    for decision in (unknown, admitted, by_quota, by_limit):
        assert (decision.limits, decision.quotas) == (limits, quotas)


def test_the_last_session_of_a_quota_can_be_given_back_and_no_more_than_that() -> None:
    twin, one = Twin(), quota(most=1)
    twin.raise_to(one, 0)
    assert twin.take([], [one], now=NOW).is_admitted
    assert not twin.take([], [one], now=NOW).is_admitted

    twin.give_back([one])
    twin.give_back([one])

    assert twin.take([], [one], now=NOW).used == [1]
    assert not twin.take([], [one], now=NOW).is_admitted


def test_a_decision_of_redis_has_one_counter_for_each_quota() -> None:
    with pytest.raises(ValueError, match="zip"):
        Twin().follow(Decision([], [quota()], used=[]), now=NOW)
