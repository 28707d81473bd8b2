"""I1: what the limiter does and says while a Redis of its own is silent, and when it answers again."""

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from gateway.gcra import Limit
from gateway.limits import LATCH_SECONDS, Limiter
from gateway.quotas import Period, Quota
from gateway.redis_limits import RedisLimits, open_redis
from tests.gateway.redis_server import RedisServer, running_redis

pytestmark = pytest.mark.asyncio


class NothingGranted:
    """The database of a new tenant."""

    def used(self, quota: Quota) -> int:
        return 0


def few(most: int) -> Quota:
    return Quota.of(uuid.uuid4(), Period.DAY, most, at=datetime.now(UTC))


def limit() -> Limit:
    return Limit(uuid.uuid4().hex, 10, "test_limit")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RedisServer]:
    with running_redis() as running:
        yield running


@pytest_asyncio.fixture
async def limiter(server: RedisServer) -> AsyncIterator[Limiter]:
    client = open_redis(server.url)
    opened = Limiter(RedisLimits(client), NothingGranted())
    yield opened
    await opened.close()
    await client.aclose()


async def latch_is_over() -> None:
    await asyncio.sleep(LATCH_SECONDS + 0.1)


async def test_an_outage_is_told_once_and_so_is_its_end(
    server: RedisServer, limiter: Limiter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.limits")
    await limiter.take([limit()])
    server.stop()
    for _ in range(3):
        for _ in range(2):
            await limiter.take([limit()])
        await latch_is_over()
    server.start()
    for _ in range(3):
        await limiter.take([limit()])

    said = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "gateway.limits"]

    assert said == [
        ("WARNING", "Redis does not answer (ConnectionError): each process limits by itself"),
        ("INFO", "Redis answers again: limits are exact"),
    ]


async def test_a_quota_that_is_used_up_stays_so_while_redis_is_silent(server: RedisServer, limiter: Limiter) -> None:
    one = few(1)
    assert (await limiter.take([], [one])).is_admitted

    server.stop()

    assert (await limiter.take([], [one])).refused_by is one
    assert (await limiter.take([], [one])).refused_by is one


async def test_of_all_who_come_after_a_while_one_alone_tries_redis_again(server: RedisServer, limiter: Limiter) -> None:
    async def seconds() -> float:
        began = time.monotonic()
        await limiter.take([limit()])
        return time.monotonic() - began

    await limiter.take([limit()])
    server.freeze()
    await limiter.take([limit()])
    await latch_is_over()

    trying = asyncio.create_task(seconds())
    await asyncio.sleep(0.02)
    others = [await seconds() for _ in range(20)]

    assert max(others) < 0.1
    assert await trying > 0.15
    server.thaw()
