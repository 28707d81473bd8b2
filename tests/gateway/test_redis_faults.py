"""I1: whatever happens to Redis, requests are decided at once, nobody gets twice a limit, and it heals by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from gateway.gcra import Limit
from gateway.limits import Limiter
from gateway.redis_limits import RedisLimits, open_redis
from gateway.replay import ReplayGuard
from tests.gateway.redis_server import RedisServer, running_redis
from tests.platform_server import free_port
from tests.proof.plugin import Proof

pytestmark = pytest.mark.asyncio

Deed = Callable[[RedisServer, Redis], Awaitable[object]]
PER_MINUTE = 30
AWAY = "this process: Redis does not answer"


async def stop(server: RedisServer, admin: Redis) -> None:
    server.stop()


async def start(server: RedisServer, admin: Redis) -> None:
    server.start()


async def freeze(server: RedisServer, admin: Redis) -> None:
    server.freeze()


async def thaw(server: RedisServer, admin: Redis) -> None:
    server.thaw()


async def slow_down(server: RedisServer, admin: Redis) -> None:
    await admin.execute_command("CLIENT", "PAUSE", "1500", "ALL")


async def wait_out(server: RedisServer, admin: Redis) -> None:
    await asyncio.sleep(0.8)


async def become_replica(server: RedisServer, admin: Redis) -> None:
    # Of a server that is not there: read-only, with the data that it had.
    await admin.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))


async def become_master(server: RedisServer, admin: Redis) -> None:
    await admin.execute_command("REPLICAOF", "NO", "ONE")


async def fill_up(server: RedisServer, admin: Redis) -> None:
    await admin.config_set("maxmemory-policy", "noeviction")
    await admin.config_set("maxmemory", "1")


async def make_room(server: RedisServer, admin: Redis) -> None:
    await admin.config_set("maxmemory", "0")


async def flush(server: RedisServer, admin: Redis) -> None:
    await admin.flushall()


async def nothing(server: RedisServer, admin: Redis) -> None:
    return


async def restart(server: RedisServer, admin: Redis) -> None:
    server.stop()
    server.start()


async def test_all_who_wait_for_a_silent_redis_wait_for_it_once() -> None:
    callers = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal callers
        callers += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    redis = open_redis(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    limiter, guard = Limiter(RedisLimits(redis)), ReplayGuard(redis)
    crowd = 1_000

    async with server:
        decisions = await asyncio.gather(*[limiter.take([Limit("crowd", crowd, "crowd")]) for _ in range(crowd)])
        once = callers
        reserved = await asyncio.gather(*[guard.reserve(f"identity-{number}", seconds=60) for number in range(crowd)])
        await redis.aclose()

    assert all(decision.is_admitted for decision in decisions)
    assert all(reserved)
    # A question that nobody answers costs its connection.
    assert (once, callers) == (1, 2)


@pytest.mark.proof("I1")
@pytest.mark.parametrize(
    ("breaks", "mends", "is_away"),
    [
        pytest.param(stop, start, True, id="stopped"),
        pytest.param(freeze, thaw, True, id="a black hole"),
        pytest.param(slow_down, wait_out, True, id="slow"),
        pytest.param(become_replica, become_master, True, id="a read-only replica"),
        pytest.param(fill_up, make_room, True, id="out of memory"),
        pytest.param(flush, nothing, False, id="flushed"),
        # The connection that was kept is dead: the first to use it finds out, and asks on a new one.
        pytest.param(restart, nothing, False, id="restarted"),
    ],
)
async def test_nobody_waits_nobody_gets_twice_the_limit_and_it_heals(
    breaks: Deed, mends: Deed, is_away: bool, proof: Proof
) -> None:
    with running_redis() as server:
        client, admin = open_redis(server.url), Redis.from_url(server.url)
        limiter, few = Limiter(RedisLimits(client)), Limit("few", PER_MINUTE, "a_limit")
        # Half of it is used up while all is well.
        taken = [await limiter.take([few]) for _ in range(PER_MINUTE // 2)]

        await breaks(server, admin)
        waits = []
        for _ in range(100):
            began = time.monotonic()
            taken.append(await limiter.take([few]))
            waits.append(time.monotonic() - began)
        kept_in = limiter.kept_in

        await mends(server, admin)
        mended_at = time.monotonic()
        while limiter.kept_in != "Redis":
            assert time.monotonic() - mended_at < 5
            await limiter.take([Limit("any", 10**6, "a_limit")])
            await asyncio.sleep(0.05)
        healed_after = time.monotonic() - mended_at
        taken += [await limiter.take([few]) for _ in range(2 * PER_MINUTE)]

        admitted = sum(decision.is_admitted for decision in taken)
        assert (kept_in == AWAY) is is_away
        assert PER_MINUTE <= admitted <= 2 * PER_MINUTE
        # One request finds out, and one each second tries again: the others lose nothing.
        assert sorted(waits)[-4] < 0.05
        assert max(waits) < 0.6
        proof.record(admitted=admitted, limit=PER_MINUTE, healed_seconds=round(healed_after, 2))
        for one in (client, admin):
            await one.aclose()


async def test_after_a_failover_no_connection_to_the_old_server_is_kept() -> None:
    """A name that leads to another server by now is only looked up by a new connection."""
    with running_redis() as server:
        client: Any = open_redis(server.url)
        limiter = Limiter(RedisLimits(client))
        any_limit = Limit("any", 10**6, "a_limit")
        await limiter.take([any_limit])
        admin = Redis.from_url(server.url)
        await become_replica(server, admin)

        await limiter.take([any_limit])
        kept = [each for each in client.connection_pool._available_connections if each.is_connected]

        assert kept == []
        for one in (client, admin):
            await one.aclose()
