"""O3 to O5: what a browser is told, and that a refused origin costs nothing."""

import time
from datetime import timedelta
from typing import Any

import pytest

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.domains import allow_domain, today
from tenants.models import AllowedDomain
from tenants.states import suspend_tenant
from tests.platform_server import Answer, Platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop

GUIDE_HEADERS = "content-type,x-csrftoken"


def preflight(platform: Platform, shop: Shop, *, origin: str | None = None, asked: str = GUIDE_HEADERS) -> Answer:
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
    return shop.ask(platform, method="OPTIONS", origin=origin or shop.origin, headers=headers)


@pytest.mark.proof("O3")
def test_the_preflight_of_an_allowed_page_is_granted(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    answer = preflight(platform, shop)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == shop.origin
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "content-type, x-csrftoken"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert not SessionRequest.objects.exists()
    assert sandbox.creates() == []


@pytest.mark.proof("O3")
def test_the_preflight_of_a_stranger_is_refused_and_recorded(platform: Platform, shop: Shop) -> None:
    answer = preflight(platform, shop, origin="https://stranger.example")

    assert answer.code == "origin_not_allowed"
    assert "access-control-allow-origin" not in answer.headers
    row = SessionRequest.objects.get()
    assert (row.is_preflight, row.outcome) == (True, "origin_not_allowed")


def test_header_names_are_granted_when_they_are_names(platform: Platform, shop: Shop) -> None:
    answers = [preflight(platform, shop, asked=asked) for asked in ("", "x one,x(two),X-Three", "x" * 65)]

    assert [answer.headers.get("access-control-allow-headers") for answer in answers] == [None, "X-Three", None]


CALLS: list[tuple[dict[str, Any], int, bool]] = [
    ({}, 200, True),
    ({"body": b"["}, 400, True),
    ({"body": {"assistant": "nobody"}}, 404, True),
    ({"method": "PUT"}, 405, True),
    ({"body": {"backends": []}}, 409, True),
    ({"body": b"x" * 9000}, 413, True),
    ({"headers": {"Content-Type": "text/plain"}}, 415, True),
    ({"origin": None}, 403, False),
    ({"origin": "null"}, 403, False),
    ({"origin": "https://shop.example/"}, 403, False),
    ({"origin": "http://shop.example"}, 403, False),
    ({"origin": "https://shop.example:8443"}, 403, False),
    ({"origin": "https://SHOP.example"}, 403, False),
    ({"origin": "https://shop.example.stranger.example"}, 403, False),
    ({"origin": "https://cdn.platform.openai.com"}, 403, False),
]


@pytest.mark.proof("O3")
def test_only_an_allowed_page_may_read_the_answer(platform: Platform, shop: Shop) -> None:
    exposed = "Retry-After, X-Request-ID, RateLimit, RateLimit-Policy"
    for call, status, is_shared in CALLS:
        answer = shop.ask(platform, **call)

        assert answer.status == status, call
        assert answer.headers["vary"] == "Origin"
        assert answer.headers.get("access-control-allow-origin") == (shop.origin if is_shared else None), call
        assert answer.headers.get("access-control-expose-headers") == (exposed if is_shared else None)
        assert "access-control-allow-credentials" not in answer.headers
        assert "set-cookie" not in answer.headers


@pytest.mark.proof("O3")
def test_a_limited_visitor_can_read_how_long_to_wait(platform: Platform, shop: Shop) -> None:
    shop.tenant.sessions_per_minute = 1
    shop.tenant.save()
    shop.ask(platform)

    answer = shop.ask(platform)

    assert answer.code == "rate_limited"
    assert answer.headers["access-control-allow-origin"] == shop.origin
    assert answer.json["error"]["retry_after"] == int(answer.headers["retry-after"])
    assert 50 <= int(answer.headers["retry-after"]) <= 60


@pytest.mark.proof("O3")
def test_an_unknown_tenant_shares_its_answer_with_nobody(platform: Platform, shop: Shop) -> None:
    suspend_tenant(tenant=shop.tenant, actor=SYSTEM)

    answers = [platform.post_session("tn_" + "A" * 28), shop.ask(platform)]

    assert [answer.code for answer in answers] == ["tenant_unknown"] * 2
    assert [answer.headers["vary"] for answer in answers] == ["Origin"] * 2
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)


@pytest.mark.proof("O4", "O5")
def test_a_stranger_reaches_neither_openai_nor_a_secret(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    answers = [
        shop.ask(platform, origin=origin, headers={"Referer": "https://shop.example/"})
        for origin in (None, "null", "https://stranger.example", "https://shop.example, https://shop.example")
    ]

    assert [answer.code for answer in answers] == [
        "origin_missing",
        "origin_null",
        "origin_not_allowed",
        "origin_malformed",
    ]
    assert not any(b"ek_" in answer.body for answer in answers)
    assert sandbox.creates() == []


@pytest.mark.proof("O5")
def test_two_origin_headers_are_malformed(platform: Platform, shop: Shop) -> None:
    path = f"/api/v1/tenants/{shop.public_id}/chatkit/session/"

    answer = platform.send_raw(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {shop.origin}\r\nOrigin: {shop.origin}\r\n"
        "Content-Type: application/json\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )

    assert b"origin_malformed" in answer


@pytest.mark.proof("O5")
def test_a_call_that_says_it_is_no_pages_call_is_refused_whatever_origin_it_names(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    told = [
        shop.ask(platform, headers={"Sec-Fetch-Site": site}).code
        for site in ("none", "cross-site", "same-site", "same-origin", "something-new")
    ]
    asked = preflight(platform, shop)
    claimed = shop.ask(platform, origin="https://stranger.example", headers={"Sec-Fetch-Site": "same-origin"})
    without = shop.ask(platform, origin=None, headers={"Sec-Fetch-Site": "none"})

    assert told == ["origin_not_allowed", *["granted"] * 4]
    assert asked.status == 204
    assert (claimed.code, without.code) == ("origin_not_allowed", "origin_missing")
    assert SessionRequest.objects.filter(reason="fetch_metadata").count() == 1
    assert len(sandbox.creates()) == 4


def test_a_preview_passes_until_its_pattern_is_over_and_nobody_has_to_end_it(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    pattern = allow_domain(tenant=shop.tenant, text="app-*.shop.example", actor=SYSTEM, expires_on=today())
    platform.wait_for_configuration()
    running = [shop.ask(platform, origin=f"https://{name}.shop.example") for name in ("app-1", "app", "x.app-1")]

    # As after midnight: the row is still there, and the process goes by its own clock.
    AllowedDomain.objects.filter(pk=pattern.pk).update(expires_on=today() - timedelta(days=1))
    platform.wait_for_configuration()
    over = shop.ask(platform, origin="https://app-1.shop.example")

    assert [answer.code for answer in running] == ["granted", "origin_not_allowed", "origin_not_allowed"]
    assert running[0].headers["access-control-allow-origin"] == "https://app-1.shop.example"
    assert over.code == "origin_not_allowed"
    assert "access-control-allow-origin" not in over.headers
    assert SessionRequest.objects.filter(reason="preview_expired").count() == 1
    assert len(sandbox.creates()) == 1


@pytest.mark.proof("O7")
def test_eight_kib_of_origin_are_refused_as_fast_as_any_stranger(platform: Platform, shop: Shop, proof: Proof) -> None:
    """Side by side in one run, the one and the other in turn; refusals are alike but for the length of the header."""
    long = "https://" + "a." * 4090 + "a"
    calls = proof.size(reduced=60, full=1_000)
    took: dict[str, list[float]] = {long: [], "https://stranger.example": []}
    codes = set()
    for _ in range(calls):
        for origin, times in took.items():
            began = time.perf_counter()
            codes.add(shop.ask(platform, origin=origin).code)
            times.append((time.perf_counter() - began) * 1000)

    slow, usual = (sorted(times) for times in took.values())
    proof.record(
        calls=calls,
        median_ms_8_kib=round(slow[calls // 2], 2),
        median_ms_stranger=round(usual[calls // 2], 2),
        p99_ms_8_kib=round(slow[calls * 99 // 100], 2),
        p99_ms_stranger=round(usual[calls * 99 // 100], 2),
    )
    assert codes == {"origin_malformed", "origin_not_allowed"}
    # A decision that grew with the square of the length would take seconds.
    assert slow[calls // 2] < usual[calls // 2] + 5
