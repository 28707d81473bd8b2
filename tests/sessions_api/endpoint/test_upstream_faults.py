"""U1 to U5 through the endpoint: which code a page is told for which fault, and what the ledger says of it."""

import time
from datetime import date

import pytest

from audit.record import SYSTEM
from chatkit_client.errors import Reason, WorkflowMissing
from sandbox.testing import Sandbox
from sessions_api.mint import public_error_of
from sessions_api.models import LiveSession, SessionRequest
from tenants.assistants import let_assistant_use_key
from tenants.models import ApiKey
from tests.platform_server import Answer, Platform
from tests.sessions_api.cast import WORKFLOW, Shop, open_shop
from tests.tenants.cast import give_key

SESSIONS = "/v1/chatkit/sessions"
# Fault of the sandbox, code for the page, reason for the operator.
FAULTS = [
    ("reset_before_headers", "upstream_unavailable", "reset"),
    ("close_before_headers", "upstream_unavailable", "reset"),
    ("reset_mid_body", "upstream_unavailable", "reset"),
    ("not_http", "upstream_invalid", "unreadable"),
    ("endless_body", "upstream_invalid", "oversized"),
    ("gzip_bomb", "upstream_invalid", None),
    ("huge_header", "upstream_invalid", None),
    ("continue_storm", "upstream_invalid", None),
    ("no_content_204", "upstream_invalid", None),
    ("html_200", "upstream_invalid", None),
    ("empty_200", "upstream_invalid", None),
    ("truncated_json", "upstream_invalid", None),
    ("secret_null", "upstream_invalid", "body_invalid"),
    ("secret_4mb", "upstream_invalid", "oversized"),
    ("duplicate_keys", "upstream_invalid", "body_invalid"),
    ("deep_nesting", "upstream_invalid", None),
    ("nan", "upstream_invalid", "body_invalid"),
    ("other_user", "upstream_invalid", "answer_mismatch"),
    ("status_400", "upstream_invalid", "request_refused"),
    ("guide_missing_beta", "upstream_invalid", "request_refused"),
    ("status_500", "upstream_unavailable", "server_error"),
    ("status_503", "upstream_unavailable", "server_error"),
    ("status_529", "upstream_unavailable", "server_error"),
    ("unsupported_region", "tenant_misconfigured", "region_blocked"),
    ("missing_scopes", "tenant_misconfigured", "missing_scope"),
    ("billing_insufficient_quota", "tenant_misconfigured", "billing"),
]


@pytest.mark.proof("U1", "U3", "U4", "U5")
def test_each_fault_is_told_as_its_code_and_recorded_with_its_reason(own_platform: Platform, sandbox: Sandbox) -> None:
    served = [open_shop(sandbox, f"Served {number}", slug=f"served-{number}") for number in range(10)]
    for number, (fault, code, reason) in enumerate(FAULTS):
        # Others are served meanwhile, so that the host's breaker stays closed; a new tenant each time, for its own.
        assert {other.ask(own_platform).status for other in served} == {200}
        shop = open_shop(sandbox, f"Tenant {number}", slug=f"tenant-{number}")
        # Until told otherwise: a call that broke off on a kept-alive connection is sent once more.
        sandbox.fault(fault, path=SESSIONS, count=None)

        answer = shop.ask(own_platform)
        sandbox.clear_faults()

        assert answer.code == code, fault
        row = SessionRequest.objects.get(tenant=shop.tenant)
        assert row.outcome == code, fault
        assert row.upstream_ms is not None
        assert not LiveSession.objects.filter(tenant=shop.tenant).exists()
        if reason is not None:
            assert row.reason == reason, fault
        if answer.status == 502 or code == "upstream_unavailable":
            assert int(answer.headers["retry-after"]) >= 1
        assert shop.key_text not in answer.body.decode()


@pytest.mark.proof("U2")
@pytest.mark.parametrize("mode", ["hang", "dripping"])
def test_an_upstream_that_never_ends_is_given_up_after_eight_seconds(
    own_platform: Platform, shop: Shop, sandbox: Sandbox, mode: str
) -> None:
    sandbox.set_host(mode)
    began = time.monotonic()

    answer = shop.ask(own_platform)

    assert answer.code == "upstream_unavailable"
    assert 7.5 < time.monotonic() - began < 9
    assert SessionRequest.objects.get(tenant=shop.tenant).reason == "deadline"


@pytest.mark.proof("U5")
@pytest.mark.parametrize(
    ("state", "reason"),
    [("invalid", "invalid_key"), ("unscoped", "missing_scope"), ("ip_blocked", "key_unauthorised")],
)
def test_a_fault_of_the_only_key_is_for_the_operator_to_see(
    platform: Platform, shop: Shop, sandbox: Sandbox, state: str, reason: str
) -> None:
    sandbox.set_key(shop.key_text, state)

    answer = shop.ask(platform)

    assert answer.code == "tenant_misconfigured"
    assert "retry-after" not in answer.headers
    row = SessionRequest.objects.get(tenant=shop.tenant)
    assert (row.reason, row.key_id, row.upstream_status) == (reason, shop.key.id, 401)
    assert shop.key_text[:8] not in answer.body.decode()


@pytest.mark.proof("U5")
def test_a_throttled_key_says_when_to_come_back(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    sandbox.set_key(shop.key_text, "throttled", retry_after=20)

    answers = [shop.ask(platform) for _ in range(3)]

    assert [answer.code for answer in answers] == ["upstream_throttled"] * 3
    assert all(18 <= int(answer.headers["retry-after"]) <= 20 for answer in answers)
    # It asked to be left alone, and it is.
    assert len(sandbox.creates()) == 1


def test_the_next_key_takes_over_from_one_that_is_refused(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    second = add_second_key(shop, sandbox)
    sandbox.set_key(shop.key_text, "invalid")

    answer = shop.ask(platform)

    assert answer.status == 200
    assert SessionRequest.objects.get().key_id == second.id
    assert LiveSession.objects.get().key_id == second.id
    assert [call["status"] for call in sandbox.creates()] == [401, 200]


def test_a_key_that_fails_again_and_again_is_left_alone(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    add_second_key(shop, sandbox)
    sandbox.set_key(shop.key_text, "invalid")

    answers = [shop.ask(platform) for _ in range(12)]

    assert {answer.status for answer in answers} == {200}
    assert [call["status"] for call in sandbox.creates()].count(401) == 5


def test_a_condemned_key_gets_no_traffic(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    ApiKey.objects.filter(pk=shop.key.pk).update(verdict="invalid_key")

    alone = shop.ask(platform)
    second = add_second_key(shop, sandbox)
    platform.wait_for_configuration()
    together = shop.ask(platform)

    assert (alone.code, together.code) == ("tenant_misconfigured", "granted")
    assert len(sandbox.creates()) == 1
    assert list(SessionRequest.objects.order_by("at").values_list("reason", flat=True)) == ["invalid_key", ""]
    assert LiveSession.objects.get().key_id == second.id


def test_a_workflow_that_is_not_found_is_called_retired_after_the_sunset() -> None:
    error = WorkflowMissing(Reason.WORKFLOW_MISSING, status=404)

    before = public_error_of(error, today=date(2026, 11, 29))
    after = public_error_of(error, today=date(2026, 11, 30))

    assert (before.code, after.code) == ("tenant_misconfigured", "tenant_misconfigured")
    assert (before.reason, after.reason) == ("workflow_missing", "workflow_retired")


def add_second_key(shop: Shop, sandbox: Sandbox) -> ApiKey:
    text = sandbox.add_key(workflows=[WORKFLOW])
    key = give_key(shop.tenant, text, label="second")
    let_assistant_use_key(assistant=shop.assistant, key=key, actor=SYSTEM, position=2)
    return key


@pytest.mark.proof("U10")
def test_a_host_that_is_down_is_asked_seldom_and_found_again(
    own_platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    sandbox.set_host("down", status=503)
    answers = [shop.ask(own_platform) for _ in range(40)]
    asked = len(sandbox.creates())

    sandbox.set_host("up")
    recovered = _seconds_until_granted(own_platform, shop)

    assert {answer.code for answer in answers} == {"upstream_unavailable"}
    assert asked <= 6
    assert all(1 <= int(answer.headers["retry-after"]) <= 5 for answer in answers)
    assert recovered <= 6
    # Others are let through at once again.
    assert shop.ask(own_platform).status == 200


def _seconds_until_granted(platform: Platform, shop: Shop) -> float:
    began = time.monotonic()
    answer: Answer = shop.ask(platform)
    while answer.status != 200:
        assert time.monotonic() - began < 10
        time.sleep(0.1)
        answer = shop.ask(platform)
    return time.monotonic() - began


def test_a_host_that_fails_everybody_is_asked_seldom_for_all_together(own_platform: Platform, sandbox: Sandbox) -> None:
    shops = [open_shop(sandbox, f"Tenant {number}", slug=f"tenant-{number}") for number in range(20)]
    sandbox.set_host("down", status=503)

    answers = [shop.ask(own_platform) for shop in shops * 2]

    assert {answer.code for answer in answers} == {"upstream_unavailable"}
    assert len(sandbox.creates()) == 5


def test_one_tenant_s_failing_upstream_leaves_the_others_alone(
    own_platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    other = open_shop(sandbox, "Birch")
    sandbox.fault("status_503", path=SESSIONS, key=shop.key_text, count=None)

    mine = [shop.ask(own_platform).code for _ in range(20)]
    theirs = [other.ask(own_platform).code for _ in range(20)]

    assert set(mine) == {"upstream_unavailable"}
    assert set(theirs) == {"granted"}
