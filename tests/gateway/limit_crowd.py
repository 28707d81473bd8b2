"""One process of a crowd that asks for limits at the same moment; started by test_limits_across_processes."""

import asyncio
import sys
import uuid
from datetime import datetime
from typing import Any

import django

from gateway.gcra import Limit
from gateway.limits import Limiter
from gateway.quotas import Period, Quota
from gateway.redis_limits import RedisLimits, open_redis


class NothingYet:
    def used(self, quota: Quota) -> int:
        return 0


async def crowd(url: str, key: str, per_minute: int, most: int, tasks: int, each: int) -> tuple[int, int]:
    """How many requests of all tasks were admitted by the limit, and how many by the quota."""
    client: Any = open_redis(url) if url else None
    limiter = Limiter(RedisLimits(client) if client else None, NothingYet())
    limit = Limit(key, per_minute, "a_limit")
    quota = Quota.of(
        uuid.uuid5(uuid.NAMESPACE_OID, key), Period.DAY, most, at=datetime.fromisoformat("2030-01-01T12:00:00+00:00")
    )

    async def ask() -> tuple[int, int]:
        by_limit = by_quota = 0
        for _ in range(each):
            by_limit += (await limiter.take([limit])).is_admitted
            by_quota += (await limiter.take([], [quota])).is_admitted
        return by_limit, by_quota

    # Connected, the script known, the threads warm: all begin with the question itself.
    other = Quota.of(uuid.uuid4(), Period.DAY, most, at=quota.starts_at)
    assert (await limiter.take([Limit(key + ":first", 10**6, "a_limit")], [other])).is_admitted
    print("ready", flush=True)
    sys.stdin.readline()
    admitted = await asyncio.gather(*[ask() for _ in range(tasks)])
    await limiter.close()
    if client:
        await client.aclose()
    return sum(by_limit for by_limit, _ in admitted), sum(by_quota for _, by_quota in admitted)


if __name__ == "__main__":
    django.setup()
    url, key, *numbers = sys.argv[1:]
    print(*asyncio.run(crowd(url, key, *[int(number) for number in numbers])), flush=True)
