"""Signing out: the visitor's token counts no more anywhere, and its live sessions are cancelled upstream."""

import json
import time
from typing import Any

import pytest
from django.utils import timezone

from audit.record import SYSTEM
from gateway.visitor_tokens import read_visitor_token, visitor_ref
from sandbox.testing import Sandbox
from sessions_api.end_session import ENDS_PER_MINUTE
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest
from sessions_api.tasks import tick
from tenants.states import suspend_tenant
from tests.database_proxy import running_proxy
from tests.platform_server import JSON_TYPE, Answer, Platform, running_platform, session_path
from tests.sessions_api.cast import ORIGIN, Shop, environment_for, open_shop


def end_path(public_id: str) -> str:
    return f"{session_path(public_id)}end/"


def sign_out(platform: Platform, public_id: str, token: Any = None, **call: Any) -> Answer:
    headers = {"Content-Type": JSON_TYPE, "Origin": ORIGIN, **call.pop("headers", {})}
    body = call.pop("body", json.dumps({"visitor_token": token}).encode())
    sent = {name: value for name, value in headers.items() if value is not None}
    return platform.request(call.pop("method", "POST"), end_path(public_id), body=body, headers=sent, **call)


def come(platform: Platform, shop: Shop, **call: Any) -> str:
    """A visitor opens the chat; its token."""
    answer = shop.ask(platform, **call)
    assert answer.status == 200, answer.body
    return str(answer.json["visitor_token"])


def ref_of(shop: Shop, token: str) -> str:
    epoch = shop.tenant.visitor_epoch
    read = read_visitor_token(token, tenant_public_id=shop.public_id, epoch=epoch, now=int(time.time()))
    assert read is not None
    return visitor_ref(read.visitor, shop.public_id)


@pytest.mark.proof("T8")
def test_signing_out_cancels_the_visitors_sessions_upstream_and_no_others(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    token = come(platform, shop)
    come(platform, shop, body={"visitor_token": token})
    come(platform, shop)

    answer = sign_out(platform, shop.public_id, token)
    tick()

    assert (answer.status, answer.body) == (204, b"")
    assert len(sandbox.live_sessions()) == 1
    assert RevokedVisitor.objects.get().ref == ref_of(shop, token)
    assert LiveSession.objects.filter(visitor_ref=ref_of(shop, token), cancelled_at=None).count() == 0
    assert set(SessionRequest.objects.values_list("outcome", flat=True)) == {"granted"}


def test_the_answer_is_for_the_page_alone_and_is_not_kept(platform: Platform, shop: Shop) -> None:
    answer = sign_out(platform, shop.public_id, come(platform, shop))

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["x-request-id"]


def test_signing_out_twice_is_as_good_as_once(platform: Platform, shop: Shop) -> None:
    token = come(platform, shop)

    answers = [sign_out(platform, shop.public_id, token).status for _ in range(2)]

    assert answers == [204, 204]
    assert RevokedVisitor.objects.count() == 1


def test_a_token_of_another_tenant_a_changed_one_and_none_end_nothing(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    token = come(platform, shop)
    other = open_shop(sandbox, "Birch")
    platform.wait_for_configuration()
    bodies = [{"visitor_token": token[:-4] + "AAAA"}, {"visitor_token": None}, {"visitor_token": ""}, {}]

    answers = [sign_out(platform, shop.public_id, body=json.dumps(body).encode()) for body in bodies]
    answers += [sign_out(platform, other.public_id, token), sign_out(platform, shop.public_id, body=b"")]

    assert [(answer.status, answer.code) for answer in answers] == [(401, "token_invalid")] * 6
    assert not RevokedVisitor.objects.exists()
    row = SessionRequest.objects.filter(outcome="token_invalid").first()
    assert row is not None
    assert row.reason == "visitor_token_invalid"


def test_a_preflight_is_answered_as_for_a_session(platform: Platform, shop: Shop) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}

    answer = sign_out(platform, shop.public_id, method="OPTIONS", body=None, headers=asked)

    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"headers": {"Origin": None}}, "origin_missing"),
        ({"headers": {"Origin": "https://evil.example"}}, "origin_not_allowed"),
        ({"headers": {"Origin": "https://evil.example"}, "method": "OPTIONS"}, "origin_not_allowed"),
        ({"method": "GET"}, "method_not_allowed"),
        ({"headers": {"Content-Type": "text/plain"}}, "content_type_invalid"),
        ({"body": b"{" * 9000}, "body_too_large"),
        ({"body": b"[]"}, "body_invalid"),
        ({"body": b'{"visitor_token": 1}'}, "body_invalid"),
    ],
)
def test_it_refuses_in_the_order_of_the_session_endpoint(
    platform: Platform, shop: Shop, call: dict[str, Any], code: str
) -> None:
    token = come(platform, shop)

    answer = sign_out(platform, shop.public_id, token, **call)

    assert answer.code == code
    assert not RevokedVisitor.objects.exists()
    assert ("access-control-allow-origin" in answer.headers) == (not code.startswith("origin_"))
    assert SessionRequest.objects.filter(outcome=code).count() == 1


def test_a_suspended_tenant_and_a_made_up_id_are_unknown(platform: Platform, shop: Shop) -> None:
    token = come(platform, shop)
    suspend_tenant(tenant=shop.tenant, actor=SYSTEM)
    platform.wait_for_configuration()

    assert sign_out(platform, shop.public_id, token).code == "tenant_unknown"
    assert sign_out(platform, f"tn_{'A' * 28}", token).code == "tenant_unknown"


def test_a_page_that_repeats_itself_is_stopped(platform: Platform, shop: Shop) -> None:
    token = come(platform, shop)

    answers = [sign_out(platform, shop.public_id, token) for _ in range(ENDS_PER_MINUTE + 1)]

    assert [answer.status for answer in answers] == [204] * ENDS_PER_MINUTE + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_without_the_database_nobody_is_told_that_it_is_done(
    same_site: None, shop: Shop, sandbox: Sandbox, on_services: None
) -> None:
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url, **environment_for(sandbox)) as cut_off:
        token = come(cut_off, shop)
        proxy.cut()
        answers = []
        # At first the process does not know that the database is away, then it does.
        for _ in range(3):
            answers.append(sign_out(cut_off, shop.public_id, token))
            time.sleep(1.2)
        proxy.mend()
        until = time.monotonic() + 10
        while (again := sign_out(cut_off, shop.public_id, token)).status != 204 and time.monotonic() < until:
            time.sleep(2)

    assert {(answer.status, answer.code) for answer in answers} == {(503, "platform_unavailable")}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
    assert again.status == 204


@pytest.mark.proof("T8")
def test_after_signing_out_no_process_grants_that_visitor_a_session(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    """The token names nobody any more: who shows it is somebody new."""
    with running_platform(**environment_for(sandbox)) as second:
        token = come(platform, shop)
        come(second, shop, body={"visitor_token": token})
        assert sign_out(second, shop.public_id, token).status == 204
        at = timezone.now()

        afterwards = [come(process, shop, body={"visitor_token": token}) for process in (platform, second)]

    refs = {ref_of(shop, new) for new in afterwards}
    assert len(refs) == 2
    assert ref_of(shop, token) not in refs
    assert not SessionRequest.objects.filter(visitor_ref=ref_of(shop, token), at__gt=at, outcome="granted").exists()
