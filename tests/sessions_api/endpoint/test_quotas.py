"""Quotas, new visitors and trials through the endpoint, and the headers that tell of limits."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tests.gateway.redis_server import running_redis
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for, open_shop, someone_elsewhere

AT_ONCE = 32


@pytest.fixture(autouse=True)
def _not_just_before_midnight() -> None:
    """Nobody's day may end in the middle of a test."""
    now = datetime.now(UTC)
    left = (now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - now).total_seconds()
    if left < 40:
        time.sleep(left + 1)


def ask_at_once(shop: Shop, *processes: Platform, times: int = AT_ONCE) -> list[str]:
    def ask(turn: int) -> str:
        return shop.ask(processes[turn % len(processes)], headers=someone_elsewhere()).code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(times)))


def granted_rows() -> int:
    return SessionRequest.objects.filter(outcome="granted").count()


def until(holds: Callable[[], Any], *, seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "It did not happen in time."
        time.sleep(0.1)


def test_of_a_daily_quota_exactly_so_many_are_granted(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop, other = open_shop(sandbox, sessions_per_day=7), open_shop(sandbox, "Birch")

    codes = ask_at_once(shop, platform)
    refused = shop.ask(platform, headers=someone_elsewhere())

    assert codes.count("granted") == 7
    assert set(codes) == {"granted", "quota_exceeded"}
    assert len(sandbox.creates()) == 7
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert refused.json["error"]["retry_after"] == int(refused.headers["retry-after"])
    assert refused.headers["ratelimit"] == f'"quota-day";r=0;t={refused.headers["retry-after"]}'
    assert other.ask(platform).status == 200
    assert set(SessionRequest.objects.exclude(outcome="granted").values_list("reason", flat=True)) == {"quota_day"}


def test_what_was_granted_earlier_this_month_counts(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop = open_shop(sandbox, sessions_per_month=5)
    first = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = [("granted", first), ("granted", first + timedelta(seconds=1)), ("granted", first - timedelta(seconds=1))]
    for outcome, at in [*rows, ("rate_limited", first)]:
        SessionRequest.objects.create(tenant=shop.tenant, at=at, outcome=outcome)

    codes = [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(5)]

    assert codes == ["granted"] * 3 + ["quota_exceeded"] * 2
    assert SessionRequest.objects.filter(reason="quota_month").count() == 2


def test_across_two_processes_a_quota_is_never_exceeded(
    on_services: None, platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, sessions_per_day=11)
    with running_platform(**environment_for(sandbox)) as second:
        codes = ask_at_once(shop, platform, second, times=64)

    assert codes.count("granted") == granted_rows() == 11


def test_without_redis_a_new_process_begins_with_what_the_ledger_has(sandbox: Sandbox, transactional_db: None) -> None:
    shop = open_shop(sandbox, sessions_per_day=4)
    alone = {**environment_for(sandbox), "REDIS_URL": ""}
    with running_platform(**alone) as platform:
        first = [shop.ask(platform).code for _ in range(3)]
    with running_platform(**alone) as platform:
        second = [shop.ask(platform).code for _ in range(3)]

    assert first == ["granted"] * 3
    assert second == ["granted"] + ["quota_exceeded"] * 2


@pytest.mark.proof("I1")
def test_a_redis_that_lost_everything_gives_no_session_more_than_the_quota(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop = open_shop(sandbox, sessions_per_day=6)
    with running_redis() as redis, running_platform(**environment_for(sandbox), REDIS_URL=redis.url) as platform:
        codes = [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(3)]
        redis.stop()
        codes += [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(1)]
        redis.start()
        time.sleep(1.1)
        codes += [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(4)]
        limits = platform.request("GET", "/readyz").json["limits"]

    assert codes == ["granted"] * 6 + ["quota_exceeded"] * 2
    assert limits == "Redis"


def test_what_openai_refuses_does_not_use_the_quota_up(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop = open_shop(sandbox, sessions_per_day=2)
    sandbox.fault("status_500", path="/v1/chatkit/sessions", count=3)
    failed = [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(3)]

    until(lambda: shop.ask(platform, headers=someone_elsewhere()).code == "granted")
    codes = [shop.ask(platform, headers=someone_elsewhere()).code for _ in range(3)]

    assert "granted" not in failed
    assert codes == ["granted", "quota_exceeded", "quota_exceeded"]
    assert granted_rows() == 2


def test_a_quota_on_trial_refuses_nobody_and_notes_it(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop = open_shop(
        sandbox,
        sessions_per_day=2,
        sessions_per_minute_per_visitor=2,
        log_only_limits=["quota_day", "visitor_limit"],
    )
    token = shop.ask(platform).json["visitor_token"]

    answers = [shop.ask(platform, body={"visitor_token": token}) for _ in range(3)]

    assert [answer.code for answer in answers] == ["granted"] * 3
    noted = SessionRequest.objects.order_by("at").values_list("would_refuse", flat=True)
    assert list(noted) == ["", "", "visitor_limit,quota_day", "visitor_limit,quota_day"]
    # Neither is told of: nobody need heed it.
    assert all("visitor" not in answer.headers["ratelimit-policy"] for answer in answers)


def test_new_visitors_are_limited_and_those_who_are_known_are_not(
    platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, new_visitors_per_minute=3)
    tokens = [shop.ask(platform, headers=someone_elsewhere()).json["visitor_token"] for _ in range(3)]

    strangers = [shop.ask(platform, headers=someone_elsewhere()) for _ in range(2)]
    known = [shop.ask(platform, body={"visitor_token": token}) for token in tokens]

    assert {(answer.status, answer.code) for answer in strangers} == {(429, "rate_limited")}
    assert all(1 <= int(answer.headers["retry-after"]) <= 20 for answer in strangers)
    assert strangers[0].headers["ratelimit"].startswith('"new-visitor";r=0;t=')
    assert [answer.code for answer in known] == ["granted"] * 3
    assert set(SessionRequest.objects.exclude(outcome="granted").values_list("reason", flat=True)) == {
        "new_visitor_limit"
    }


@pytest.mark.proof("L7")
def test_a_grant_and_a_refusal_tell_of_the_limits_and_the_page_may_read_it(
    platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, sessions_per_minute_per_visitor=2)
    first = shop.ask(platform)
    token = first.json["visitor_token"]
    second = shop.ask(platform, body={"visitor_token": token})
    refused = shop.ask(platform, body={"visitor_token": token})

    policy = '"tenant";q=600;w=60, "visitor";q=2;w=60, "address";q=100000;w=60'
    assert first.headers["ratelimit-policy"] == policy + ', "new-visitor";q=100000;w=60'
    assert first.headers["ratelimit"] == '"visitor";r=1;t=30'
    assert second.headers["ratelimit-policy"] == refused.headers["ratelimit-policy"] == policy
    assert second.headers["ratelimit"].startswith('"visitor";r=0;t=')
    assert refused.status == 429
    assert refused.headers["ratelimit"] == f'"visitor";r=0;t={refused.headers["retry-after"]}'
    assert 25 <= int(refused.headers["retry-after"]) <= 30
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(
        refused.headers["access-control-expose-headers"].split(", ")
    )
    assert refused.headers["vary"] == "Origin"


def test_the_sites_default_holds_for_a_tenant_without_a_value_of_its_own(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop, own = open_shop(sandbox), open_shop(sandbox, "Birch", sessions_per_day=3)
    environment = {**environment_for(sandbox), "SESSIONS_PER_DAY_TENANT": "1", "LIMITS_LOG_ONLY": "tenant_limit"}
    with running_platform(**environment, SESSIONS_PER_MINUTE_TENANT="1") as platform:
        codes = [[each.ask(platform).code for _ in range(4)] for each in (shop, own)]

    assert codes == [["granted"] + ["quota_exceeded"] * 3, ["granted"] * 3 + ["quota_exceeded"]]
    assert SessionRequest.objects.filter(would_refuse="tenant_limit").count() == 2
    assert not settings.SESSIONS_PER_DAY_TENANT
