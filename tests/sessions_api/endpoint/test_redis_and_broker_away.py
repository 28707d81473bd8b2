"""I1, I3, I4: Redis and the broker in each of the ways in which they fail; sessions go on."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
import redis as redis_client

from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tests.database_proxy import running_proxy
from tests.gateway.redis_server import RedisServer, running_redis
from tests.platform_server import Platform, running_platform
from tests.proof import FULL
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop, environment_for, open_shop, someone_elsewhere
from tests.sessions_api.load import Load, p99, wait_until

Mood = Callable[[RedisServer], None]


def tell(redis: RedisServer, *words: str) -> None:
    with redis_client.Redis.from_url(redis.url) as client:
        client.execute_command(*words)


def slow(redis: RedisServer) -> None:
    redis.freeze()
    threading.Timer(2, redis.thaw).start()


def read_only(redis: RedisServer) -> None:
    tell(redis, "REPLICAOF", "127.0.0.1", "1")


def full(redis: RedisServer) -> None:
    tell(redis, "CONFIG", "SET", "maxmemory", "1")


def flushed(redis: RedisServer) -> None:
    tell(redis, "FLUSHALL")


def restarted(redis: RedisServer) -> None:
    redis.stop()
    redis.start()


def well_again(redis: RedisServer) -> None:
    tell(redis, "REPLICAOF", "NO", "ONE")
    tell(redis, "CONFIG", "SET", "maxmemory", "0")


@pytest.mark.proof("I1")
@pytest.mark.parametrize("mood", [slow, read_only, full, flushed, restarted], ids=lambda mood: mood.__name__)
def test_whatever_becomes_of_redis_every_visitor_gets_a_session(
    sandbox: Sandbox, transactional_db: None, proof: Proof, mood: Mood
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    with running_redis() as redis, running_platform(**environment_for(sandbox), REDIS_URL=redis.url) as platform:
        with Load(platform, shop=shop, pause=0.05).running() as load:
            time.sleep(proof.size(reduced=1, full=10))
            gone_at = time.monotonic()
            mood(redis)
            time.sleep(proof.size(reduced=3, full=15))
            back_at = time.monotonic()
            well_again(redis)
            wait_until(lambda: platform.request("GET", "/readyz").json["limits"] == "Redis")
        healed = time.monotonic() - back_at

    before = [one.seconds for one in load.told if one.at < gone_at]
    during = [one.seconds for one in load.told if gone_at + 1 < one.at < back_at]
    assert set(load.codes) == {"granted"}
    assert SessionRequest.objects.filter(outcome="granted").count() == len(load.granted)
    if FULL:
        assert p99(during) <= p99(before) + 0.05
    proof.record(sessions=len(load.told), p99_ratio=round(p99(during) / p99(before), 2), healed_s=round(healed, 2))


@pytest.mark.proof("I3")
def test_a_process_that_starts_without_its_parts_is_ready_when_they_are_there(
    on_services: None, same_site: None, sandbox: Sandbox
) -> None:
    shop = open_shop(sandbox)
    with running_proxy() as proxy, running_redis() as redis:
        proxy.cut()
        redis.stop()
        environment = {**environment_for(sandbox), "DATABASE_URL": proxy.url, "REDIS_URL": redis.url}
        with running_platform(ready=False, **environment) as platform:
            early = shop.ask(platform)
            ready_early = platform.request("GET", "/readyz")
            proxy.mend()
            wait_until(lambda: platform.request("GET", "/readyz").status == 200, seconds=20)
            without_redis = shop.ask(platform)
            redis.start()
            wait_until(lambda: _counts_in_redis(platform, shop))

    assert (early.status, early.code) == (503, "platform_unavailable")
    assert (ready_early.status, ready_early.json["database"]) == (503, "never answered yet")
    assert without_redis.status == 200


@pytest.mark.proof("I4")
def test_sessions_have_no_use_for_the_broker(sandbox: Sandbox, transactional_db: None) -> None:
    """One that accepts connections and never says a word, which is the worst that a broker can do."""
    shop = open_shop(sandbox)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with running_platform(**environment_for(sandbox), CELERY_BROKER_URL=broker) as platform:
            silent.settimeout(0)
            with suppress(BlockingIOError):
                while True:
                    silent.accept()[0].close()
            answers = [shop.ask(platform) for _ in range(5)]
            with pytest.raises(BlockingIOError):
                silent.accept()

    assert [answer.status for answer in answers] == [200] * 5


def _counts_in_redis(platform: Platform, shop: Shop) -> bool:
    """It looks for Redis when it has something to count."""
    assert shop.ask(platform, headers=someone_elsewhere()).status == 200
    return bool(platform.request("GET", "/readyz").json["limits"] == "Redis")
