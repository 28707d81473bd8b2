"""Visitors' sessions as checks that cost nothing."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from chatkit_client.errors import Reason
from encryption.secret import Secret
from key_health.check import check_due
from key_health.conclude import write_verdict
from key_health.live_traffic import learn_from_traffic
from key_health.models import CheckKind, CheckPlan, KeyCheck
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.assistants import forget_pair_verdicts
from tenants.keys import replace_key
from tenants.models import ApiKey, AssistantKey, Verdict
from tests.key_health.cast import Customer, check_all
from tests.tenants.cast import key_text

pytestmark = pytest.mark.django_db(transaction=True)


def asked(
    customer: Customer, outcome: str, reason: str = "", at: datetime | None = None, status: int | None = 200
) -> SessionRequest:
    return SessionRequest.objects.create(
        id=uuid.uuid4(),
        at=at or timezone.now(),
        tenant=customer.tenant,
        assistant_slug=customer.assistant.slug,
        key_id=customer.key.pk,
        outcome=outcome,
        reason=reason,
        upstream_status=status,
    )


LATER = timedelta(seconds=3)


def test_a_granted_session_proves_the_key_and_the_pair(alder: Customer) -> None:
    asked(alder, "granted", at=timezone.now() + LATER)

    learn_from_traffic()
    learn_from_traffic()

    assert (alder.verdict, alder.pair.verdict) == (Verdict.HEALTHY, Verdict.HEALTHY)
    assert list(KeyCheck.objects.values_list("kind", flat=True)) == [CheckKind.LIVE, CheckKind.LIVE]
    assert AuditEvent.objects.filter(action=Action.KEY_VERDICT_CHANGED).count() == 1


def test_a_grant_from_before_the_last_check_proves_nothing(sandbox: Sandbox, alder: Customer) -> None:
    asked(alder, "granted", at=timezone.now() - timedelta(seconds=5))
    sandbox.set_key(alder.secret, "unscoped")
    check_due()

    learn_from_traffic()

    assert alder.verdict == Verdict.DEGRADED


@pytest.mark.parametrize("after", [timedelta(seconds=-5), timedelta(seconds=1)])
def test_a_grant_with_the_key_that_was_replaced_proves_nothing_of_the_new_one(
    alder: Customer, after: timedelta
) -> None:
    replace_key(key=alder.key, plaintext=Secret(key_text()), actor=SYSTEM)
    asked(alder, "granted", at=timezone.now() + after)

    learn_from_traffic()

    assert (alder.verdict, alder.pair.verdict) == (Verdict.UNCHECKED, Verdict.UNCHECKED)
    assert not KeyCheck.objects.exists()


def test_a_grant_by_the_workflow_of_before_proves_the_key_and_nothing_of_the_new_one(alder: Customer) -> None:
    ApiKey.objects.update(verdict_since=timezone.now() - timedelta(minutes=1))
    asked(alder, "granted")
    forget_pair_verdicts(alder.assistant)

    learn_from_traffic()

    assert (alder.verdict, alder.pair.verdict) == (Verdict.HEALTHY, Verdict.UNCHECKED)


def test_a_verdict_is_not_written_over_a_key_that_was_replaced_meanwhile(alder: Customer) -> None:
    before = ApiKey.objects.get(pk=alder.key.pk)
    replace_key(key=alder.key, plaintext=Secret(key_text()), actor=SYSTEM)

    written = write_verdict(before, Verdict.HEALTHY, now=timezone.now())

    assert not written
    assert alder.verdict == Verdict.UNCHECKED


def test_a_refusal_by_openai_makes_the_real_check_due_and_condemns_nothing_itself(
    sandbox: Sandbox, alder: Customer
) -> None:
    check_due()
    sandbox.set_key(alder.secret, "invalid")
    asked(alder, "tenant_misconfigured", Reason.INVALID_KEY, status=401)

    learn_from_traffic()
    before = alder.verdict
    check_due()

    assert before == Verdict.HEALTHY
    assert alder.verdict == Verdict.INVALID_KEY


@pytest.mark.parametrize("reason", [Reason.WORKFLOW_MISSING, "workflow_retired"])
def test_a_refusal_about_the_workflow_makes_the_pair_due(alder: Customer, reason: str) -> None:
    check_due()
    asked(alder, "tenant_misconfigured", reason, status=404)

    learn_from_traffic()

    assert CheckPlan.objects.get(due_at__lte=timezone.now()).assistant_id == alder.assistant.pk


def test_a_refusal_for_which_openai_was_not_asked_says_nothing_new(alder: Customer) -> None:
    check_due()
    asked(alder, "tenant_misconfigured", Reason.INVALID_KEY, status=None)

    learn_from_traffic()

    assert check_due() == 0


def test_a_flood_of_refusals_does_not_cut_the_second_look_short(sandbox: Sandbox, alder: Customer) -> None:
    check_due()
    sandbox.set_key(alder.secret, "unscoped")
    check_all()
    ApiKey.objects.update(checked_at=timezone.now() - timedelta(seconds=1))
    AssistantKey.objects.update(checked_at=timezone.now() - timedelta(seconds=1))
    asked(alder, "tenant_misconfigured", Reason.MISSING_SCOPE, status=401)

    learn_from_traffic()

    assert alder.verdict == Verdict.DEGRADED
    assert check_due() == 0
