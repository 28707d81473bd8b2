"""U10, U11 and the second try, through the endpoint: OpenAI is down for a while, and when it throttles for a moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import pytest

from gateway.breaker import OPEN_SECONDS
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tests.platform_server import Platform
from tests.proof import FULL
from tests.proof.plugin import Proof
from tests.sessions_api.cast import WORKFLOW, Shop, open_shop, someone_elsewhere
from tests.sessions_api.load import Load, wait_until
from tests.tenants.cast import give_key


@pytest.mark.proof("U10")
def test_while_openai_is_down_it_is_asked_seldom_and_visitors_are_told_at_once(
    own_platform: Platform, sandbox: Sandbox, proof: Proof
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    down_for = proof.size(reduced=6, full=60)
    with Load(own_platform, shop=shop, pause=0.08).running() as load:
        time.sleep(1)
        sandbox.set_host("down", status=503)
        down_at = time.monotonic()
        # It opens once half of the calls of the last ten seconds have failed: those before were good.
        wait_until(lambda: load.told[-1].code == "upstream_unavailable" and load.told[-1].seconds < 1)
        time.sleep(2)
        sandbox.forget_calls()
        time.sleep(down_for)
        asked = len(sandbox.creates())
        sandbox.set_host("up")
        up_at = time.monotonic()
        wait_until(lambda: load.told[-1].code == "granted")
        time.sleep(0.5)

    first_good = min(one.at for one in load.told if one.at > up_at and one.code == "granted") - up_at
    refused = [one for one in load.told if down_at + 2 < one.at < up_at]
    at_once = median(one.seconds for one in refused)
    granted = median(one.seconds for one in load.told if one.code == "granted")

    assert set(load.codes) == {"granted", "upstream_unavailable"}
    assert {one.code for one in refused} == {"upstream_unavailable"}
    # A probe every five seconds.
    assert asked <= 1 + down_for / OPEN_SECONDS
    assert first_good <= OPEN_SECONDS + 1
    if FULL:
        assert at_once <= 0.02
    proof.record(
        down_s=down_for,
        refused=len(refused),
        asked=asked,
        first_good_s=round(first_good, 2),
        refusal_ms=round(at_once * 1000, 1),
        granted_ms=round(granted * 1000, 1),
    )


@pytest.mark.proof("U11")
def test_of_a_hundred_who_wait_for_openai_to_come_back_one_is_let_through(
    own_platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    sandbox.set_host("down", status=503)
    while (
        shop.ask(own_platform, headers=someone_elsewhere()).code != "upstream_unavailable" or len(sandbox.creates()) < 5
    ):
        pass
    opened_at = time.monotonic()
    sandbox.forget_calls()
    sandbox.set_host("slow", delay_ms=3000)
    time.sleep(opened_at + OPEN_SECONDS + 0.2 - time.monotonic())

    start = threading.Barrier(100)

    def ask(_: int) -> str:
        start.wait()
        return shop.ask(own_platform, headers=someone_elsewhere()).code

    with ThreadPoolExecutor(100) as threads:
        codes = list(threads.map(ask, range(100)))

    assert sorted(set(codes)) == ["granted", "upstream_unavailable"]
    assert codes.count("granted") == 1
    assert len(sandbox.creates()) == 1


@pytest.mark.proof("U5")
def test_a_key_that_is_throttled_for_a_second_is_asked_once_more(
    own_platform: Platform, sandbox: Sandbox, shop: Shop
) -> None:
    for _ in range(10):
        assert shop.ask(own_platform, headers=someone_elsewhere()).status == 200
    sandbox.set_key(shop.key_text, "throttled", retry_after=1, times=1)

    answer = shop.ask(own_platform, headers=someone_elsewhere())

    assert answer.status == 200
    assert [call["status"] for call in sandbox.creates()][-2:] == [429, 200]
    assert SessionRequest.objects.filter(outcome="granted").count() == 11


def test_without_traffic_to_pay_for_it_nothing_is_asked_twice(
    own_platform: Platform, sandbox: Sandbox, shop: Shop
) -> None:
    sandbox.set_key(shop.key_text, "throttled", retry_after=1, times=1)

    answer = shop.ask(own_platform)

    assert (answer.code, answer.headers["retry-after"]) == ("upstream_throttled", "1")
    assert len(sandbox.creates()) == 1


def test_a_second_key_serves_before_a_throttled_one_is_waited_for(
    own_platform: Platform, sandbox: Sandbox, shop: Shop
) -> None:
    from audit.record import SYSTEM
    from tenants.assistants import let_assistant_use_key

    key = give_key(shop.tenant, sandbox.add_key(workflows=[WORKFLOW]), label="second")
    let_assistant_use_key(assistant=shop.assistant, key=key, actor=SYSTEM, position=2)
    for _ in range(10):
        assert shop.ask(own_platform, headers=someone_elsewhere()).status == 200
    sandbox.set_key(shop.key_text, "throttled", retry_after=1, times=1)
    began = time.monotonic()

    answer = shop.ask(own_platform, headers=someone_elsewhere())

    assert answer.status == 200
    assert time.monotonic() - began < 1
    assert SessionRequest.objects.get(request_id=answer.headers["x-request-id"]).key_id == key.pk
