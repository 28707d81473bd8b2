"""L7: what the headers `RateLimit-Policy` and `RateLimit` say, and what they keep to themselves."""

import uuid
from datetime import UTC, datetime

import pytest
from django.http import HttpResponse

from gateway.errors import Code, PublicError, error_response
from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_twin import Twin
from gateway.quotas import Period, Quota
from gateway.rate_headers import tell_limits

pytestmark = pytest.mark.proof("L7")

TENANT = Limit("t", 600, "tenant_limit")
VISITOR = Limit("v", 10, "visitor_limit", is_callers=True)
ADDRESS = Limit("a", 120, "address_limit", is_callers=True)
NEW = Limit("n", 300, "new_visitor_limit")
DAY = Quota.of(uuid.UUID(int=1), Period.DAY, 1000, at=datetime(2026, 11, 24, tzinfo=UTC))


def told(decision: Decision, response: HttpResponse | None = None) -> tuple[str | None, str | None]:
    response = response or HttpResponse()
    tell_limits(response, decision)
    return response.get("RateLimit-Policy"), response.get("RateLimit")


def after(times: int, *limits: Limit) -> Decision:
    twin = Twin()
    for _ in range(times):
        decision = twin.take(limits, now=10**9)
    return decision


def refused(decision: Decision, *, retry_after: float) -> HttpResponse:
    error = PublicError(Code.RATE_LIMITED, retry_after=retry_after)
    return error_response(error, request_id="r")


def test_a_grant_tells_the_policies_and_what_is_left_of_the_callers_nearest() -> None:
    policy, left = told(after(1, TENANT, VISITOR, ADDRESS))

    assert policy == '"tenant";q=600;w=60, "visitor";q=10;w=60, "address";q=120;w=60'
    assert left == '"visitor";r=9;t=6'


@pytest.mark.parametrize(
    ("times", "left"), [(1, '"visitor";r=9;t=6'), (9, '"visitor";r=1;t=54'), (10, '"visitor";r=0;t=60')]
)
def test_what_is_left_falls_to_nothing_and_the_time_is_until_all_is_back(times: int, left: str) -> None:
    assert told(after(times, VISITOR))[1] == left


def test_the_address_is_named_where_less_is_left_of_it() -> None:
    narrow = Limit("a", 3, "address_limit", is_callers=True)

    assert told(after(2, TENANT, VISITOR, narrow))[1] == '"address";r=1;t=40'


def test_of_two_with_as_much_left_the_one_that_takes_longer_is_named() -> None:
    same = Limit("a", 10, "address_limit", is_callers=True)
    decision = Decision([VISITOR, same], ahead=[6_000_000, 7_000_000])

    assert told(decision)[1] == '"address";r=8;t=7'
    assert told(Decision([VISITOR, same], ahead=[6_000_000, 6_000_001]))[1] == '"address";r=8;t=7'


def test_how_busy_the_tenant_is_is_told_to_nobody_and_neither_is_its_quota() -> None:
    decision = Decision([TENANT, NEW], [DAY], ahead=[59_900_000, 100], used=[999])

    policy, left = told(decision)

    assert policy == '"tenant";q=600;w=60, "new-visitor";q=300;w=60'
    assert left is None


@pytest.mark.parametrize(
    ("limit", "name"), [(TENANT, "tenant"), (VISITOR, "visitor"), (ADDRESS, "address"), (NEW, "new-visitor")]
)
def test_a_refusal_names_the_limit_and_the_time_of_retry_after(limit: Limit, name: str) -> None:
    decision = after(limit.per_minute + 1, limit)
    response = refused(decision, retry_after=decision.retry_after)

    _, left = told(decision, response)

    assert left == f'"{name}";r=0;t={response["Retry-After"]}'
    assert int(response["Retry-After"]) >= decision.retry_after


def test_a_used_up_quota_names_itself_and_not_its_size() -> None:
    decision = Decision([VISITOR], [DAY], refused_by=DAY)

    policy, left = told(decision, refused(decision, retry_after=3600))

    assert policy == '"visitor";q=10;w=60'
    assert left == '"quota-day";r=0;t=3600'


def test_a_limit_on_trial_is_not_told_of() -> None:
    tried = Limit("v", 2, "visitor_limit", is_callers=True, is_on_trial=True)

    policy, left = told(after(5, tried, ADDRESS))

    assert policy == '"address";q=120;w=60'
    assert left == '"address";r=115;t=3'
    assert told(after(1, tried)) == (None, None)
