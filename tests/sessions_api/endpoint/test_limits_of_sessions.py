"""L6 through the endpoint: of 32 at once exactly n, by visitor, tenant and address; in Redis across two processes."""

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tests.platform_server import Answer, Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for, open_shop, someone_elsewhere

AT_ONCE = 32


def ask_at_once(shop: Shop, *processes: Platform, token: str | None = None, address: str = "") -> list[Answer]:
    def ask(turn: int) -> Answer:
        headers = {"X-Forwarded-For": address} if address else someone_elsewhere()
        return shop.ask(processes[turn % len(processes)], body={"visitor_token": token}, headers=headers)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, range(AT_ONCE)))


@pytest.mark.proof("L6")
def test_a_visitor_has_a_limit(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop = open_shop(sandbox, sessions_per_minute_per_visitor=6)
    token = shop.ask(platform).json["visitor_token"]

    answers = ask_at_once(shop, platform, token=token)

    assert [answer.code for answer in answers].count("granted") == 5
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) == AT_ONCE - 5
    assert all(1 <= int(answer.headers["retry-after"]) <= 10 for answer in refused)
    assert shop.ask(platform).status == 200
    assert set(SessionRequest.objects.values_list("reason", flat=True)) == {"", "visitor_limit"}


@pytest.mark.proof("L6")
def test_a_tenant_has_a_limit_and_leaves_others_alone(platform: Platform, sandbox: Sandbox, same_site: None) -> None:
    shop = open_shop(sandbox, sessions_per_minute=7)
    other = open_shop(sandbox, "Birch")

    answers = ask_at_once(shop, platform)

    assert Counter(answer.code for answer in answers) == {"granted": 7, "rate_limited": AT_ONCE - 7}
    assert len(sandbox.creates()) == 7
    assert other.ask(platform).status == 200


@pytest.mark.proof("L6")
def test_the_limit_of_a_tenant_is_exact_across_processes(
    on_services: None, platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=9)
    with running_platform(**environment_for(sandbox)) as second:
        answers = ask_at_once(shop, platform, second)

    assert [answer.code for answer in answers].count("granted") == 9


@pytest.mark.proof("L6")
def test_an_address_has_a_limit_and_an_ipv6_client_cannot_hop_within_its_64(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop = open_shop(sandbox)
    environment = {**environment_for(sandbox), "SESSIONS_PER_MINUTE_ADDRESS": "20"}
    with running_platform(**environment) as platform:
        # New ones each time: Redis remembers an address for a minute.
        v4 = ".".join(str(byte) for byte in (10, *secrets.token_bytes(3)))
        by_v4 = ask_at_once(shop, platform, address=v4)
        network = f"2001:db8:{secrets.token_hex(2)}:1"
        hopping = [shop.ask(platform, headers={"X-Forwarded-For": f"{network}::{n}"}) for n in range(1, 25)]
        elsewhere = shop.ask(platform, headers={"X-Forwarded-For": f"{network}0::1"})

    assert [answer.code for answer in by_v4].count("granted") == 20
    assert [answer.code for answer in hopping] == ["granted"] * 20 + ["rate_limited"] * 4
    assert elsewhere.status == 200


def test_a_tenant_whose_calls_hang_is_busy_and_the_others_are_not(sandbox: Sandbox, transactional_db: None) -> None:
    shop, other = open_shop(sandbox), open_shop(sandbox, "Birch")
    with running_platform(**environment_for(sandbox), TENANT_CONCURRENCY="4") as platform:
        assert shop.ask(platform).status == 200
        sandbox.fault("ok_late", path="/v1/chatkit/sessions", count=4, options={"seconds": 3})
        answers = ask_at_once(shop, platform)
        meanwhile = other.ask(platform)

    codes = [answer.code for answer in answers]
    assert codes.count("busy") == AT_ONCE - 4
    assert {answer.headers["retry-after"] for answer in answers if answer.code == "busy"} == {"1"}
    assert meanwhile.status == 200
