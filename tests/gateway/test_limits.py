"""L6, I1: how many are admitted, in Redis and without it."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterable

import pytest
import pytest_asyncio
from django.conf import settings
from redis.asyncio import Redis

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX
from gateway.limit_twin import Twin
from gateway.limits import Limiter
from gateway.redis_limits import RedisLimits, RedisSilent, open_redis
from tests.gateway.redis_server import running_redis

pytestmark = pytest.mark.asyncio


def limit(per_minute: int, key: str | None = None) -> Limit:
    return Limit(key or secrets.token_hex(8), per_minute, "test_limit")


def admitted(decisions: Iterable[Decision]) -> int:
    return sum(decision.is_admitted for decision in decisions)


@pytest_asyncio.fixture
async def redis(on_services: None) -> AsyncIterator[Redis]:
    client = open_redis(settings.REDIS_URL)
    yield client
    await client.aclose()


@pytest.mark.proof("L6")
async def test_at_the_very_same_moment_exactly_n_are_admitted_for_every_n(redis: Redis) -> None:
    exact = RedisLimits(redis)
    for n in range(1, 60):
        few, twin = limit(n), Twin()

        by_twin = [twin.take([few], now=10**9) for _ in range(n + 5)]
        by_redis = await asyncio.gather(*[exact.take([few]) for _ in range(n + 5)])

        assert (admitted(by_twin), admitted(by_redis)) == (n, n)


@pytest.mark.proof("L6")
async def test_of_32_at_once_exactly_n_are_admitted_by_the_twin() -> None:
    limiter, few = Limiter(), limit(10)

    decisions = await asyncio.gather(*[limiter.take([few]) for _ in range(32)])

    assert admitted(decisions) == 10


@pytest.mark.proof("L6")
async def test_of_32_at_once_exactly_n_are_admitted_by_redis_through_four_clients(redis: Redis) -> None:
    few = limit(10)
    clients = [open_redis(settings.REDIS_URL) for _ in range(4)]
    limiters = [Limiter(RedisLimits(client)) for client in clients]

    decisions = await asyncio.gather(*[limiters[turn % 4].take([few]) for turn in range(32)])
    for client in clients:
        await client.aclose()

    assert admitted(decisions) == 10
    assert all(limiter.kept_in == "Redis" for limiter in limiters)


async def test_redis_and_the_twin_decide_alike(redis: Redis) -> None:
    wide, narrow = limit(8), limit(3)
    requests = [[wide], [wide, narrow], [narrow], [narrow], [wide, narrow], [wide], [wide], [narrow], [wide]]
    twin, exact = Twin(), RedisLimits(redis)

    now = 10**9
    by_twin = [twin.take(limits, now=now) for limits in requests]
    by_redis = [await exact.take(limits) for limits in requests]

    assert [each.refused_by for each in by_twin] == [each.refused_by for each in by_redis]


async def test_a_refused_request_is_charged_nowhere(redis: Redis) -> None:
    for take in (RedisLimits(redis).take, Limiter().take):
        wide, narrow = limit(5), limit(1)
        await take([narrow])
        for _ in range(20):
            assert (await take([wide, narrow])).refused_by is narrow

        assert admitted([await take([wide]) for _ in range(6)]) == 5


async def test_the_wait_is_told_and_keys_go_away_by_themselves(redis: Redis) -> None:
    one = limit(1)
    exact = RedisLimits(redis)
    await exact.take([one])

    refused = await exact.take([one])

    assert refused.refused_by is one
    assert 59 < refused.retry_after <= 60
    assert 59_000 < await redis.pttl(PREFIX + one.key) <= 60_010


async def test_after_the_wait_one_more_is_admitted() -> None:
    twin, few = Twin(), limit(60)
    now = 10**9
    while twin.take([few], now=now).is_admitted:
        pass
    refused = twin.take([few], now=now)

    later = now + round(refused.retry_after * 1e6)

    assert not twin.take([few], now=later - 1).is_admitted
    assert twin.take([few], now=later).is_admitted
    assert not twin.take([few], now=later).is_admitted


async def test_the_twin_forgets_the_oldest_keys() -> None:
    twin = Twin(most_keys=100)

    for number in range(1000):
        twin.take([limit(1, f"key-{number}")], now=10**9)

    assert not twin.take([limit(1, "key-999")], now=10**9).is_admitted
    assert not twin.take([limit(1, "key-900")], now=10**9).is_admitted
    assert twin.take([limit(1, "key-899")], now=10**9).is_admitted


@pytest.mark.proof("I1")
async def test_redis_stops_and_comes_back_and_nobody_is_over_admitted() -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        limiter, few = Limiter(RedisLimits(client)), limit(10)
        first = [await limiter.take([few]) for _ in range(6)]

        server.stop()
        meanwhile = [await limiter.take([few]) for _ in range(20)]
        kept_in = limiter.kept_in
        server.start()
        await asyncio.sleep(1.2)
        await limiter.take([limit(10)])

        # The twin went along while Redis answered, so that it did not begin anew.
        assert admitted(first + meanwhile) == 10
        assert kept_in == "this process: Redis does not answer"
        assert limiter.kept_in == "Redis"
        await client.aclose()


@pytest.mark.proof("I1")
async def test_a_redis_that_hangs_costs_one_request_its_patience_and_the_others_nothing() -> None:
    with running_redis() as server:
        client = open_redis(server.url)
        limiter = Limiter(RedisLimits(client))
        await limiter.take([limit(10)])
        server.freeze()

        began = time.monotonic()
        await limiter.take([limit(10)])
        first = time.monotonic() - began
        began = time.monotonic()
        for _ in range(100):
            await limiter.take([limit(10)])
        rest = time.monotonic() - began

        assert 0.15 < first < 0.6
        assert rest < 0.1
        server.thaw()
        await client.aclose()


async def test_a_defect_in_asking_redis_lets_nobody_wait_for_ever() -> None:
    class Broken:
        """Answers as no Redis does, in shape: the group of waiters must still be told."""

        @property
        def connection_pool(self) -> "Broken":
            return self

        def register_script(self, script: str) -> None: ...

        async def get_connection(self) -> "Broken":
            return self

        async def send_packed_command(self, packed: list[bytes], *, check_health: bool) -> None: ...

        async def read_response(self) -> list[int]:
            return [0]

    exact = RedisLimits(Broken())  # type: ignore[arg-type]

    for _ in range(2):
        with pytest.raises(RedisSilent):
            await asyncio.wait_for(exact.take([limit(10)]), timeout=5)
