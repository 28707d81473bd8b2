"""Where counters of quotas come from: counted once for all who wait, again after Redis was emptied, never in anybody's way."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings

from gateway import quota_counters
from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX
from gateway.limits import Limiter
from gateway.quotas import Period, Quota
from gateway.redis_limits import RedisLimits, open_redis
from tests.gateway.quota_cast import Rows, quota
from tests.gateway.redis_server import running_redis

pytestmark = pytest.mark.asyncio


Opener = Callable[..., Limiter]


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Opener]:
    limiters: list[Limiter] = []

    def open_limiter(rows: Rows | None, client: Any = None) -> Limiter:
        limiters.append(Limiter(None if client is None else RedisLimits(client), rows))
        return limiters[-1]

    yield open_limiter
    for limiter in limiters:
        await limiter.close()


@pytest_asyncio.fixture
async def redis(on_services: None) -> AsyncIterator[Any]:
    client = open_redis(settings.REDIS_URL)
    yield client
    await client.aclose()


async def granted_of(limiter: Limiter, few: Quota, *, times: int) -> int:
    decisions = await asyncio.gather(*[limiter.take([], [few]) for _ in range(times)])
    return sum(decision.is_admitted for decision in decisions)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("It did not happen.")


async def test_a_missing_counter_is_counted_once_for_all_who_wait(opened: Opener) -> None:
    rows, few = Rows(granted=3), quota(5)

    assert await granted_of(opened(rows), few, times=32) == 2
    assert rows.asked == 1


async def test_two_processes_agree_on_a_counter_that_both_make(opened: Opener, redis: Any) -> None:
    few, slow, quick = quota(5), Rows(granted=2, seconds=0.1), Rows(granted=2, seconds=0)
    one, other = opened(slow, redis), opened(quick, redis)

    both = await asyncio.gather(granted_of(one, few, times=16), granted_of(other, few, times=16))

    assert sum(both) == 3
    assert (slow.asked, quick.asked) == (1, 1)


async def test_each_quota_is_counted_by_itself(opened: Opener) -> None:
    rows, day, month = Rows(), quota(5), quota(5, Period.MONTH)

    decision = await opened(rows).take([], [day, month])

    assert list(decision.used) == [1, 1]
    assert rows.asked == 2


async def test_after_redis_was_emptied_it_is_counted_anew(opened: Opener, redis: Any) -> None:
    rows, few = Rows(), quota(5)
    limiter = opened(rows, redis)
    assert await granted_of(limiter, few, times=3) == 3
    rows.granted = 3
    await redis.delete(PREFIX + few.key)

    assert await granted_of(limiter, few, times=10) == 2
    assert rows.asked == 2


async def test_while_the_database_is_silent_a_quota_that_nobody_knows_refuses_nobody(opened: Opener) -> None:
    rows, few, narrow = Rows(), quota(1), Limit("narrow", 3, "a_limit")
    rows.is_silent = True
    limiter = opened(rows)

    decisions = [await limiter.take([narrow], [few]) for _ in range(4)]

    assert [decision.is_admitted for decision in decisions] == [True, True, True, False]
    assert all(not decision.quotas for decision in decisions[:3])
    # The first asks, once more on a new connection, and the others don't.
    assert rows.asked == 2


async def test_the_database_is_asked_again_some_time_after_it_was_silent(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_counters, "LATCH_SECONDS", 0.05)
    rows, few = Rows(granted=1), quota(1)
    rows.is_silent = True
    limiter = opened(rows)
    assert (await limiter.take([], [few])).is_admitted
    rows.is_silent = False
    await asyncio.sleep(0.06)

    assert (await limiter.take([], [few])).refused_by is few


async def test_a_count_that_hangs_lets_nobody_wait_for_long(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_counters, "COUNT_SECONDS", 0.05)
    limiter = opened(Rows(seconds=0.5))

    began = time.monotonic()
    decision = await limiter.take([], [quota(1)])

    assert decision.is_admitted
    assert time.monotonic() - began < 0.4


async def test_what_was_granted_elsewhere_is_counted_after_a_while_without_anybody_waiting(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_counters, "COMPARE_SECONDS_ALONE", 0.05)
    rows, few = Rows(), quota(5)
    limiter = opened(rows)
    await limiter.take([], [few])
    rows.granted = 5
    await asyncio.sleep(0.06)

    first = await limiter.take([], [few])
    await until(lambda: limiter.take_here([], [few]).refused_by is few)

    assert first.is_admitted
    assert rows.asked == 2


async def test_with_redis_it_is_compared_less_often(
    opened: Opener, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_counters, "COMPARE_SECONDS_ALONE", 0.0)
    rows, few = Rows(), quota(50)
    limiter = opened(rows, redis)
    for _ in range(5):
        await limiter.take([], [few])
        await asyncio.sleep(0.03)

    assert rows.asked == 1
    assert (quota_counters.COMPARE_SECONDS, quota_counters.COUNT_SECONDS) == (60.0, 2.0)


async def test_what_was_granted_while_the_tenant_had_no_quota_is_counted_in_redis(
    opened: Opener, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, few = Rows(), quota(5)
    await opened(rows, redis).take([], [few])
    rows.granted = 5
    newcomer = opened(rows, redis)

    await newcomer.take([], [few])

    async def counted() -> bool:
        return int(await redis.get(PREFIX + few.key)) >= 5

    for _ in range(100):
        if await counted():
            break
        await asyncio.sleep(0.01)

    assert (await newcomer.take([], [few])).refused_by is few


async def test_what_is_not_granted_is_given_back_here_and_in_redis(opened: Opener, redis: Any) -> None:
    few = quota(1)
    limiter = opened(Rows(), redis)
    decision = await limiter.take([], [few])
    assert (await limiter.take([], [few])).refused_by is few

    limiter.give_back(decision)

    assert (await limiter.take([], [few])).is_admitted


async def test_a_refusal_gives_nothing_back(opened: Opener) -> None:
    few = quota(1)
    limiter = opened(Rows())
    await limiter.take([], [few])
    refused = await limiter.take([], [few])

    limiter.give_back(refused)
    limiter.give_back(Decision([], [few], is_unknown=True))

    assert (await limiter.take([], [few])).refused_by is few


async def test_who_leaves_while_redis_is_asked_uses_nothing_up(opened: Opener, redis: Any) -> None:
    few = quota(1)
    limiter = opened(Rows(), redis)
    await limiter.take([], [few])
    await redis.decr(PREFIX + few.key)

    leaving = asyncio.create_task(limiter.take([], [few]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert (await limiter.take([], [few])).is_admitted


async def test_what_redis_could_not_take_back_is_given_back_when_it_answers_again(opened: Opener) -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        few = quota(1)
        limiter = opened(Rows(), client)
        decision = await limiter.take([], [few])
        server.freeze()
        limiter.give_back(decision)
        await asyncio.sleep(0.3)
        server.thaw()
        await asyncio.sleep(0.1)

        assert (await limiter.take([Limit("any", 99, "a_limit")])).is_by_redis
        assert int(await client.get(PREFIX + few.key)) == 0
        await client.aclose()


async def test_without_a_database_to_ask_a_quota_refuses_nobody(opened: Opener) -> None:
    decision = await opened(None).take([], [quota(1)])

    assert decision.is_admitted
    assert not decision.quotas
