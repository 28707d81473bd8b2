"""O3 to O5: what a browser is told, and that a refused origin costs nothing."""

from typing import Any

import pytest

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.states import suspend_tenant
from tests.platform_server import Answer, Platform
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
