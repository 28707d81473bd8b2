"""POST …/chatkit/session/: what a page gets, what OpenAI is asked, and what the ledger keeps."""

import time
from datetime import timedelta

from django.utils import timezone

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest
from tests.platform_server import Platform
from tests.sessions_api.cast import ORIGIN, WORKFLOW, Shop


def test_a_page_of_the_tenant_gets_a_session(platform: Platform, shop: Shop) -> None:
    answer = shop.ask(platform, body={})

    assert answer.status == 200
    assert set(answer.json) == {"client_secret", "expires_at", "expires_in", "backend", "visitor_token"}
    assert answer.json["client_secret"].startswith("ek_sandbox_")
    assert abs(answer.json["expires_at"] - time.time() - 600) < 10
    assert 590 <= answer.json["expires_in"] <= 600
    assert answer.json["backend"] == "hosted_workflow"
    assert answer.json["visitor_token"].startswith("vt1.")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-request-id"]) == 32


def test_an_empty_body_is_an_empty_request(platform: Platform, shop: Shop) -> None:
    answers = [shop.ask(platform, body=body) for body in (None, b"", b"  \r\n ")]

    assert [answer.status for answer in answers] == [200, 200, 200]


def test_the_answer_is_of_use_in_a_chat(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    secret = shop.ask(platform).json["client_secret"]

    events = sandbox.say(secret, "Hello")

    assert events


def test_openai_is_asked_for_what_the_assistant_says_with_the_tenants_key(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    shop.ask(platform)

    [call] = sandbox.creates()
    assert call["workflow"] == WORKFLOW
    assert call["body"]["expires_after"] == {"anchor": "created_at", "seconds": 600}
    assert call["user"].startswith(f"v1.{shop.public_id}.")


def test_a_granted_session_leaves_one_row_and_what_it_takes_to_cancel_it(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    answer = shop.ask(platform, headers={"X-ChatKit-Client": "embed/1.0.0", "X-Forwarded-For": "203.0.113.77"})

    row = SessionRequest.objects.get()
    assert (row.outcome, row.reason, row.count) == ("granted", "", 1)
    assert (row.tenant_id, row.assistant_slug, row.key_id) == (shop.tenant.id, "help", shop.key.id)
    assert (row.origin, row.address, row.client) == (ORIGIN, "203.0.113.0/24", "embed/1.0.0")
    assert (row.upstream_status, row.is_refresh, row.is_preflight) == (200, False, False)
    assert row.upstream_request_id
    assert row.upstream_ms is not None
    assert row.upstream_ms <= row.latency_ms + 1
    assert row.request_id == answer.headers["x-request-id"]
    assert abs(row.at - timezone.now()) < timedelta(minutes=1)
    live = LiveSession.objects.get()
    assert (live.tenant_id, live.key_id, live.assistant_id) == (shop.tenant.id, shop.key.id, shop.assistant.id)
    assert [live.session_id] == [session["id"] for session in sandbox.live_sessions()]
    assert live.visitor_ref == row.visitor_ref
    assert int(live.expires_at.timestamp()) == answer.json["expires_at"]


def test_the_secret_is_nowhere_in_the_database(platform: Platform, shop: Shop) -> None:
    secret = shop.ask(platform).json["client_secret"]

    rows = [*SessionRequest.objects.values(), *LiveSession.objects.values()]

    assert secret not in repr(rows)


def test_a_refresh_mints_anew_for_the_same_visitor(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    first = shop.ask(platform).json

    second = shop.ask(platform, body={"visitor_token": first["visitor_token"], "refresh": True}).json

    assert first["client_secret"] != second["client_secret"]
    assert len({call["user"] for call in sandbox.creates()}) == 1
    assert list(SessionRequest.objects.order_by("at").values_list("is_refresh", flat=True)) == [False, True]


def test_a_refused_call_leaves_a_row_with_its_reason(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    answer = shop.ask(platform, origin="https://stranger.example", headers={"X-ChatKit-Client": "Nonsense!"})

    row = SessionRequest.objects.get()
    assert answer.status == 403
    assert (row.outcome, row.origin, row.client) == ("origin_not_allowed", "https://stranger.example", "")
    assert row.upstream_ms is None
    assert sandbox.creates() == []


def test_an_unknown_public_id_leaves_nothing(platform: Platform, shop: Shop) -> None:
    answer = platform.post_session("tn_" + "A" * 28)

    assert answer.code == "tenant_unknown"
    assert not SessionRequest.objects.exists()


def test_the_21st_refusal_of_a_kind_in_a_minute_leaves_no_row_of_its_own(platform: Platform, shop: Shop) -> None:
    _wait_for_a_young_minute()

    answers = [shop.ask(platform, origin="https://stranger.example") for _ in range(25)]

    assert {answer.code for answer in answers} == {"origin_not_allowed"}
    assert SessionRequest.objects.count() == 20


def _wait_for_a_young_minute() -> None:
    """The count is by the minute: do not begin where it ends."""
    second = time.time() % 60
    if second > 50:
        time.sleep(61 - second)
