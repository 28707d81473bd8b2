"""The probe of an assistant that the platform serves: key and model together, no conversation kept, and little to pay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.record import SYSTEM
from key_health.check import check_due
from key_health.models import CheckPlan, KeyCheck
from key_health.plans import plan_missing
from key_health.request import request_check
from sandbox.testing import Sandbox
from tenants.models import AssistantKey, Verdict
from tenants.switch import switch_back, switch_backend
from tenants.verdict_words import words_for
from tests.key_health.cast import Customer, check_all, let_time_pass
from tests.tenants.cast import give_assistant, give_version

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cedar(sandbox: Sandbox, alder: Customer) -> Customer:
    """Alder, switched to the platform, and checked once since."""
    check_due()
    give_version(alder.assistant)
    switch_backend(assistant=alder.assistant, to="platform", actor=SYSTEM)
    sandbox.forget_calls()
    check_due()
    return alder


def asked(sandbox: Sandbox) -> list[str]:
    """What was sent since, each once: the probe of the key alone looks at the model, too."""
    return list(dict.fromkeys(f"{call['method']} {call['path']}" for call in sandbox.calls()))


def answers(sandbox: Sandbox) -> int:
    return len(sandbox.run_calls())


def test_a_switched_assistant_is_checked_at_once_by_one_short_answer_that_nobody_keeps(
    sandbox: Sandbox, cedar: Customer
) -> None:
    assert asked(sandbox) == ["GET /v1/models/gpt-sandbox", "POST /v1/responses"]
    assert sandbox.calls(path="/v1/responses")[0]["body"] == {
        "model": "gpt-sandbox",
        "input": "Hello",
        "max_output_tokens": 16,
        "store": False,
    }
    assert cedar.pair.verdict == Verdict.HEALTHY
    assert KeyCheck.objects.filter(kind="answer").count() == 1
    assert sandbox.threads() == []
    assert sandbox.live_sessions() == []


def test_between_two_days_the_model_is_only_looked_up(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.forget_calls()
    CheckPlan.objects.filter(assistant__isnull=False).update(due_at=timezone.now())

    check_due()

    assert asked(sandbox) == ["GET /v1/models/gpt-sandbox"]
    assert KeyCheck.objects.filter(kind="model", finding="healthy").count() == 1
    due = CheckPlan.objects.get(assistant__isnull=False).due_at - timezone.now()
    assert due > timedelta(hours=19)


def test_after_a_day_an_answer_is_asked_for_again(sandbox: Sandbox, cedar: Customer) -> None:
    CheckPlan.objects.update(answered_at=timezone.now() - timedelta(hours=19))

    check_all()

    assert answers(sandbox) == 2


def test_pressing_check_now_again_and_again_is_paid_once_a_minute(sandbox: Sandbox, cedar: Customer) -> None:
    for _ in range(3):
        request_check(key=cedar.key, actor=SYSTEM)
        check_due()
    assert answers(sandbox) == 1
    CheckPlan.objects.update(answered_at=timezone.now() - timedelta(seconds=61))

    request_check(key=cedar.key, actor=SYSTEM)
    check_due()

    assert answers(sandbox) == 2


def test_a_model_that_is_gone_condemns_the_pair_after_a_second_look_for_nothing_and_never_the_key(
    sandbox: Sandbox, cedar: Customer
) -> None:
    sandbox.set_model("gpt-sandbox", exists=False)

    check_all()
    suspected = cedar.pair.verdict
    check_all()

    assert (suspected, cedar.pair.verdict) == (Verdict.DEGRADED, Verdict.MODEL_MISSING)
    assert cedar.verdict == Verdict.HEALTHY
    assert answers(sandbox) == 1
    check = KeyCheck.objects.filter(finding=Verdict.MODEL_MISSING).latest("at")
    assert (check.reason, check.upstream_code, check.upstream_status) == ("model_missing", "model_not_found", 404)
    assert "Publish a version with a model" in words_for(check.finding, check.reason).cure


def test_a_model_that_is_back_is_believed_after_an_answer_only(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.set_model("gpt-sandbox", exists=False)
    check_all()
    check_all()
    sandbox.set_model("gpt-sandbox", exists=True)

    check_all()

    assert cedar.pair.verdict == Verdict.HEALTHY
    assert answers(sandbox) == 2


@pytest.mark.parametrize(
    ("state", "code", "verdict"), [("invalid", "", "invalid_key"), ("billing", "insufficient_quota", "billing")]
)
def test_what_is_wrong_with_the_key_is_found_as_with_a_workflow(
    sandbox: Sandbox, cedar: Customer, state: str, code: str, verdict: str
) -> None:
    sandbox.set_key(cedar.secret, state, code=code)

    check_all()
    check_all()

    assert cedar.pair.verdict == verdict


def test_a_key_that_can_be_billed_no_more_is_found_though_the_model_can_be_looked_up(
    sandbox: Sandbox, cedar: Customer
) -> None:
    CheckPlan.objects.update(answered_at=None)
    sandbox.fault("billing_insufficient_quota", path="/v1/responses", count=None)
    for _ in range(2):
        check_all()

    assert cedar.pair.verdict == Verdict.BILLING


def test_an_outage_condemns_nothing_and_costs_nothing(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.set_host("down")
    for _ in range(3):
        check_all()
    sandbox.set_host("up")

    check_all()

    assert cedar.pair.verdict == Verdict.HEALTHY
    assert answers(sandbox) == 1


def test_an_assistant_of_ours_is_never_asked_for_a_workflow_and_a_hosted_one_goes_on(
    sandbox: Sandbox, cedar: Customer, birch: Customer
) -> None:
    sandbox.forget_calls()
    check_all()

    assert [create["workflow"] for create in sandbox.creates()] == [birch.workflow_id]
    assert birch.pair.verdict == Verdict.HEALTHY


def test_who_is_switched_back_is_asked_for_the_workflow_at_once(sandbox: Sandbox, cedar: Customer) -> None:
    cedar.assistant.refresh_from_db()
    switch_back(assistant=cedar.assistant, actor=SYSTEM)
    sandbox.forget_calls()

    check_due()

    assert [create["workflow"] for create in sandbox.creates()] == [cedar.workflow_id]
    assert answers(sandbox) == 0


def test_a_version_with_another_model_is_asked_for_at_once(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.forget_calls()
    cedar.assistant.refresh_from_db()
    give_version(cedar.assistant, model="gpt-sandbox-mini")

    check_due()

    assert [call["model"] for call in sandbox.run_calls()] == ["gpt-sandbox-mini"]


def test_nothing_is_planned_before_the_first_version(sandbox: Sandbox, alder: Customer) -> None:
    fresh = give_assistant(alder.tenant, alder.key, slug="fresh", workflow_id="", backend="platform")

    plan_missing()
    check_due()

    assert not CheckPlan.objects.filter(assistant=fresh).exists()
    assert AssistantKey.objects.get(assistant=fresh).verdict == Verdict.UNCHECKED


def test_a_version_that_vanished_meanwhile_says_nothing_of_the_key(sandbox: Sandbox, cedar: Customer) -> None:
    type(cedar.assistant).objects.filter(pk=cedar.assistant.pk).update(published_version=None)
    let_time_pass()

    check_due()

    assert KeyCheck.objects.filter(reason="no_version", finding="unchecked").count() == 1
    assert words_for("unchecked", "no_version").cure == "Publish one on the assistant's page."
    assert cedar.pair.verdict == Verdict.HEALTHY


def test_a_restricted_key_that_may_run_models_but_not_look_them_up_is_healthy(
    sandbox: Sandbox, cedar: Customer
) -> None:
    sandbox.fault("missing_scopes", path="/v1/models", count=None)

    check_all()

    assert cedar.pair.verdict == Verdict.HEALTHY
    assert answers(sandbox) == 2


def test_a_key_that_only_runs_models_needs_no_access_to_chatkit(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.set_key(cedar.secret, state="unscoped")

    check_all()

    cedar.key.refresh_from_db()
    assert cedar.key.verdict == Verdict.HEALTHY
    assert not sandbox.calls(path="/v1/chatkit/threads")


def test_a_key_that_is_revoked_is_found_whatever_it_is_used_with(sandbox: Sandbox, cedar: Customer) -> None:
    sandbox.set_key(cedar.secret, state="invalid")

    check_all()

    cedar.key.refresh_from_db()
    assert cedar.key.verdict == Verdict.INVALID_KEY
