"""A quota's unit of which nobody knows whether Redis charged it: nothing stays charged that was not granted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from gateway import quota_counters
from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX
from gateway.limits import Limiter
from gateway.quotas import Quota
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


async def counter(client: Any, quota: Quota, *, becomes: int) -> bool:
    for _ in range(200):
        if int(await client.get(PREFIX + quota.key)) == becomes:
            return True
        await asyncio.sleep(0.01)
    return False


async def test_a_unit_whose_answer_was_lost_is_given_back_where_nothing_was_granted(opened: Opener) -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        few = quota(5)
        limiter = opened(Rows(), client)
        await limiter.take([], [few])
        server.freeze()
        lost = await limiter.take([], [few])
        server.thaw()
        was_charged = await counter(client, few, becomes=2)

        limiter.give_back(lost)

        assert (lost.is_admitted, lost.is_by_redis, was_charged) == (True, False, True)
        assert await counter(client, few, becomes=1)
        await client.aclose()


async def test_a_unit_whose_answer_was_lost_is_given_back_where_the_twin_refuses(opened: Opener) -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        few, narrow = quota(5), Limit("narrow", 1, "a_limit")
        limiter = opened(Rows(), client)
        await limiter.take([narrow], [few])
        await client.delete(PREFIX + narrow.key)
        server.freeze()
        refused = await limiter.take([narrow], [few])
        await asyncio.sleep(0.3)
        server.thaw()
        assert await counter(client, few, becomes=2)
        # The next question carries what it gets back.
        limiter.give_back(Decision([], [quota()], is_by_redis=True))

        assert refused.refused_by is narrow
        assert await counter(client, few, becomes=1)
        await client.aclose()


async def test_what_was_given_back_once_too_often_is_counted_again_by_the_next_comparison(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_counters, "COMPARE_SECONDS", 0.05)
    with running_redis() as server:
        client = open_redis(server.url)
        rows, few = Rows(granted=3), quota(5)
        limiter = opened(rows, client)
        await limiter.take([], [few])
        rows.granted = 4
        await client.set(PREFIX + few.key, 1)
        await asyncio.sleep(0.06)

        await limiter.take([], [few])

        assert await counter(client, few, becomes=4)
        await client.aclose()


async def test_what_was_never_said_to_redis_is_not_given_back_there(opened: Opener) -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        few = quota(5)
        limiter = opened(Rows(granted=2), client)
        await limiter.take([], [few])
        server.stop()
        unsaid = await limiter.take([], [few])

        assert unsaid.is_admitted
        assert not unsaid.may_be_in_redis
        await client.aclose()
