"""Checks against the sandbox: what is found is believed, written down once, audited, and leaves no session behind."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.secret import Secret
from key_health.check import check_claimed, check_due
from key_health.models import CheckKind, CheckPlan, KeyCheck
from key_health.plans import MAX_ATTEMPTS, claim_due
from sandbox.testing import Sandbox
from tenants.keys import replace_key
from tenants.models import ApiKey, ConfigEpoch, Tenant, Verdict
from tenants.verdict_words import words_for
from tests.key_health.cast import Customer, check_all, let_time_pass

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_new_key_and_its_pair_become_healthy_and_no_probe_session_stays_alive(
    sandbox: Sandbox, alder: Customer
) -> None:
    check_due()

    assert alder.verdict == Verdict.HEALTHY
    assert alder.pair.verdict == Verdict.HEALTHY
    assert set(KeyCheck.objects.values_list("kind", "finding")) == {("read", "healthy"), ("create", "healthy")}
    assert [create["user"] for create in sandbox.creates()] == [f"v1.{alder.tenant.public_id}.healthcheck"]
    assert sandbox.live_sessions() == []


def test_nothing_is_done_twice_before_it_is_due_again(sandbox: Sandbox, alder: Customer) -> None:
    check_due()

    assert check_due() == 0
    assert len(sandbox.calls()) == 3  # read, create, cancel


def test_a_revoked_key_is_condemned_by_one_check_with_an_event(sandbox: Sandbox, alder: Customer) -> None:
    check_due()
    sandbox.set_key(alder.secret, "invalid")
    epoch = ConfigEpoch.current()

    check_all()

    assert alder.verdict == Verdict.INVALID_KEY
    assert ConfigEpoch.current() > epoch
    event = AuditEvent.objects.filter(action=Action.KEY_VERDICT_CHANGED).first()
    assert event is not None
    assert event.actor == "system"
    assert event.tenant_id == alder.tenant.pk
    assert event.changes["values"] == {"verdict": {"old": "healthy", "new": "invalid_key"}}
    assert event.changes["reason"] == "invalid_key"
    assert event.changes["upstream_status"] == 401


def test_a_check_that_changes_no_verdict_is_announced_to_nobody(sandbox: Sandbox, alder: Customer) -> None:
    check_due()
    epoch, events = ConfigEpoch.current(), AuditEvent.objects.count()

    check_all()

    assert (ConfigEpoch.current(), AuditEvent.objects.count()) == (epoch, events)
    assert len(alder.checks) == 2


def test_a_key_that_works_again_is_believed_at_once_and_so_are_its_pairs(sandbox: Sandbox, alder: Customer) -> None:
    sandbox.set_key(alder.secret, "invalid")
    check_due()
    assert (alder.verdict, alder.pair.verdict) == (Verdict.INVALID_KEY, Verdict.INVALID_KEY)
    sandbox.set_key(alder.secret, "valid")

    CheckPlan.objects.filter(assistant=None).update(due_at=timezone.now())
    check_due()  # the key alone; its pair is made due by it, and taken up in the same slice

    assert (alder.verdict, alder.pair.verdict) == (Verdict.HEALTHY, Verdict.HEALTHY)


def test_a_missing_workflow_condemns_the_pair_after_a_second_look_and_never_the_key(
    sandbox: Sandbox, alder: Customer
) -> None:
    check_due()
    sandbox.set_workflow(alder.workflow_id, exists=False)

    check_all()
    suspected = alder.pair.verdict
    again = alder.plan(of_pair=True).due_at - timezone.now()
    check_all()

    assert suspected == Verdict.DEGRADED
    assert timedelta(seconds=50) < again <= timedelta(seconds=60)
    assert alder.pair.verdict == Verdict.WORKFLOW_MISSING
    assert alder.verdict == Verdict.HEALTHY
    assert AuditEvent.objects.filter(action=Action.PAIR_VERDICT_CHANGED).count() == 3  # healthy, degraded, condemned


def test_a_missing_scope_is_looked_at_again_when_an_edit_has_had_its_time(sandbox: Sandbox, alder: Customer) -> None:
    check_due()
    sandbox.set_key(alder.secret, "unscoped")

    check_all()

    assert alder.verdict == Verdict.DEGRADED
    assert alder.plan().due_at - timezone.now() > timedelta(minutes=14)


@pytest.mark.parametrize("mode", ["down", "reset"])
def test_an_outage_condemns_nothing_however_long_it_lasts(
    sandbox: Sandbox, alder: Customer, birch: Customer, mode: str
) -> None:
    check_due()
    sandbox.set_host(mode)
    events = AuditEvent.objects.count()

    for _ in range(5):
        check_all()
    sandbox.set_host("up")

    assert {alder.verdict, birch.verdict, alder.pair.verdict} == {Verdict.HEALTHY}
    assert alder.checks == ["healthy", *["upstream_down"] * 5]
    assert AuditEvent.objects.count() == events


def test_a_customer_whose_calls_hang_does_not_hold_up_the_others(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    sandbox.fault("stall_before_headers", count=None, key=alder.secret)
    order: list[str] = []

    for plan, _ in check_claimed(claim_due(limit=10)):
        order.append(plan.key.tenant.name)

    assert order == ["Birch", "Birch", "Alder", "Alder"]
    assert birch.verdict == Verdict.HEALTHY
    assert alder.verdict == Verdict.UPSTREAM_DOWN


def test_a_key_that_cannot_be_opened_is_said_and_costs_the_others_nothing(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    ApiKey.objects.filter(pk=alder.key.pk).update(token="ckp1.test.broken.broken")

    check_due()

    assert alder.verdict == Verdict.DEGRADED
    assert KeyCheck.objects.filter(key=alder.key, reason="key_unreadable").exists()
    assert birch.verdict == Verdict.HEALTHY


def test_a_key_with_a_malformed_organization_is_said_and_costs_the_others_nothing(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    ApiKey.objects.filter(pk=alder.key.pk).update(organization="org 1\n")

    check_due()

    check = KeyCheck.objects.get(key=alder.key, assistant=None)
    assert (check.finding, check.reason) == (Verdict.DEGRADED, "key_malformed")
    assert "organization" in words_for(check.finding, check.reason).sentence
    assert birch.verdict == Verdict.HEALTHY


def test_an_address_that_the_operator_withdrew_is_said_and_nothing_is_sent_there(
    sandbox: Sandbox, alder: Customer
) -> None:
    Tenant.objects.filter(pk=alder.tenant.pk).update(upstream="elsewhere")

    check_due()

    assert KeyCheck.objects.filter(reason="upstream_not_allowed").count() == 2
    assert sandbox.calls() == []


def test_a_finding_about_a_key_that_was_replaced_meanwhile_counts_for_nothing(
    sandbox: Sandbox, alder: Customer
) -> None:
    sandbox.set_key(alder.secret, "invalid")
    claimed = claim_due(limit=10)
    better = sandbox.add_key(project="proj_alder")

    replace_key(key=alder.key, plaintext=Secret(better), actor=SYSTEM)
    late = list(check_claimed(claimed))

    assert late == []
    assert alder.verdict == Verdict.UNCHECKED
    check_due()
    assert alder.verdict == Verdict.HEALTHY


def test_a_check_whose_workers_die_three_times_is_put_off_and_says_so(sandbox: Sandbox, alder: Customer) -> None:
    check_due()
    let_time_pass()
    for _ in range(MAX_ATTEMPTS):
        claim_due(limit=10)
        CheckPlan.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    sandbox.forget_calls()

    check_due()

    assert sandbox.calls() == []
    assert alder.checks == ["healthy", "unchecked"]
    assert KeyCheck.objects.filter(reason="check_abandoned").count() == 2
    assert alder.verdict == Verdict.HEALTHY
    assert alder.plan().attempts == 0
    assert alder.plan().due_at > timezone.now()


def test_a_probe_session_is_cancelled_at_the_second_attempt(sandbox: Sandbox, alder: Customer) -> None:
    sandbox.fault("status_500", path="/v1/chatkit/sessions/", count=1)

    check_due()

    assert alder.pair.verdict == Verdict.HEALTHY
    assert sandbox.live_sessions() == []


def test_the_slot_of_a_check_is_the_same_for_whoever_does_it(sandbox: Sandbox, alder: Customer) -> None:
    first = {plan.pk: plan.slot for plan in claim_due(limit=10)}
    CheckPlan.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))

    second = {plan.pk: plan.slot for plan in claim_due(limit=10)}

    assert first == second
    assert alder.plan().kind == CheckKind.READ
