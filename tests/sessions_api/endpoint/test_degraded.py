"""I1, I2, I8: Redis and PostgreSQL go away under load, and a server that is told to end ends in order."""

import threading
import time

import pytest
import redis as redis_client
from django.db import connection

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest
from tests.gateway.redis_server import running_redis
from tests.platform_server import Answer, Platform, running_platform
from tests.sessions_api.cast import environment_for, kill_backends, open_shop
from tests.sessions_api.load import Load, wait_until


@pytest.mark.proof("I1")
def test_redis_stops_is_frozen_and_comes_back_and_every_visitor_gets_a_session(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    with running_redis() as redis, running_platform(**environment_for(sandbox), REDIS_URL=redis.url) as platform:
        with Load(platform, shop=shop).running() as load:
            time.sleep(0.5)
            redis.stop()
            time.sleep(1.5)
            limits_meanwhile = platform.request("GET", "/readyz").json["limits"]
            redis.start()
            time.sleep(1.5)
            redis.freeze()
            time.sleep(1.5)
            redis.thaw()
            time.sleep(1.5)
        limits_after = platform.request("GET", "/readyz").json["limits"]

    assert set(load.codes) == {"granted"}
    assert limits_meanwhile == "this process: Redis does not answer"
    assert limits_after == "Redis"
    assert SessionRequest.objects.filter(outcome="granted").count() == load.codes["granted"]


@pytest.mark.proof("I1")
def test_redis_becomes_slow_read_only_full_and_empty_and_every_visitor_gets_a_session(
    sandbox: Sandbox, transactional_db: None
) -> None:
    """With a quota, whose counter is made anew whenever Redis has lost it."""
    shop = open_shop(sandbox, sessions_per_minute=100_000, sessions_per_day=100_000)
    with running_redis() as redis, running_platform(**environment_for(sandbox), REDIS_URL=redis.url) as platform:
        with redis_client.Redis.from_url(redis.url) as admin, Load(platform, shop=shop).running() as load:
            time.sleep(0.5)
            admin.execute_command("CLIENT", "PAUSE", "1200", "ALL")
            time.sleep(2.5)
            admin.execute_command("REPLICAOF", "127.0.0.1", "1")
            time.sleep(1.2)
            admin.execute_command("REPLICAOF", "NO", "ONE")
            time.sleep(1.2)
            admin.config_set("maxmemory-policy", "noeviction")
            admin.config_set("maxmemory", "1")
            time.sleep(1.2)
            limits_meanwhile = platform.request("GET", "/readyz").json["limits"]
            admin.config_set("maxmemory", "0")
            time.sleep(1.2)
            admin.flushall()
            time.sleep(0.5)
        limits_after = platform.request("GET", "/readyz").json["limits"]

    assert set(load.codes) == {"granted"}
    assert limits_meanwhile == "this process: Redis does not answer"
    assert limits_after == "Redis"
    assert SessionRequest.objects.filter(outcome="granted").count() == load.codes["granted"]


@pytest.mark.proof("I2")
def test_every_backend_of_postgresql_is_terminated_and_no_row_is_lost(
    backends_die: None, platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    with Load(platform, shop=shop).running() as load:
        time.sleep(0.5)
        for _ in range(3):
            kill_backends()
            killed_at = time.monotonic()
            time.sleep(2)
    # The test's own pool lost its connections too; it is not what is tested here, so it starts anew.
    connection.close()
    connection.close_pool()

    granted = load.codes["granted"]
    assert set(load.codes) == {"granted"}
    assert min(one.at for one in load.told if one.at > killed_at and one.code == "granted") - killed_at <= 5
    assert SessionRequest.objects.filter(outcome="granted").count() == granted
    assert LiveSession.objects.count() == granted
    # What was minted and could not be recorded was cancelled.
    wait_until(lambda: len(sandbox.live_sessions()) == granted)


@pytest.mark.proof("I8")
def test_a_server_that_is_told_to_end_finishes_what_it_began(sandbox: Sandbox, transactional_db: None) -> None:
    shop = open_shop(sandbox)
    answers: list[Answer] = []
    with running_platform(**environment_for(sandbox)) as platform:
        assert shop.ask(platform).status == 200
        sandbox.set_latency(1500)
        asking = [threading.Thread(target=lambda: answers.append(shop.ask(platform))) for _ in range(8)]
        for thread in asking:
            thread.start()
        time.sleep(0.5)

        platform.terminate()
        for thread in asking:
            thread.join()
        platform.wait(seconds=15)
        log = platform.log
    sandbox.set_latency(0)

    assert [answer.status for answer in answers] == [200] * 8
    assert SessionRequest.objects.filter(outcome="granted").count() == 9
    assert LiveSession.objects.count() == 9
    assert "Traceback" not in log


def test_a_server_that_ends_writes_the_refusals_that_it_has_only_counted(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop = open_shop(sandbox)
    with running_platform(**environment_for(sandbox)) as platform:
        for _ in range(30):
            shop.ask(platform, origin="https://stranger.example")

    counts = list(SessionRequest.objects.values_list("count", flat=True))
    assert sum(counts) == 30
    assert len(counts) <= 22
