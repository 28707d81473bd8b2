"""Which checks are wanted: made with the change that wants them, gone with the key, claimed by one process at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.record import SYSTEM
from encryption.secret import Secret
from key_health.models import CheckPlan
from key_health.plans import claim_due, next_due, plan_missing, release
from tenants.assistants import forget_pair_verdicts
from tenants.keys import replace_key, retire_key
from tenants.models import AssistantKey, Verdict
from tenants.states import resume_tenant, start_deletion, suspend_tenant
from tests.key_health.cast import Customer, let_time_pass
from tests.tenants.cast import give_assistant, give_key, key_text, register

pytestmark = pytest.mark.django_db(transaction=True)


def wanted() -> set[tuple[str, str | None]]:
    return {(plan.key.label, plan.assistant and plan.assistant.slug) for plan in CheckPlan.objects.all()}


def test_a_key_and_each_pair_have_a_plan_as_soon_as_they_are_saved() -> None:
    tenant = register()
    first, second = give_key(tenant, label="first"), give_key(tenant, label="second")

    give_assistant(tenant, first, second)

    assert wanted() == {("first", None), ("second", None), ("first", "help"), ("second", "help")}
    assert not CheckPlan.objects.filter(due_at__gt=timezone.now()).exists()


def test_a_key_alone_and_each_pair_have_one_plan_at_most(alder: Customer) -> None:
    for plan in CheckPlan.objects.all():
        with pytest.raises(IntegrityError), transaction.atomic():
            CheckPlan.objects.create(key=plan.key, assistant=plan.assistant, due_at=plan.due_at)

    assert plan_missing() == 0
    assert CheckPlan.objects.count() == 2


def test_a_change_that_is_rolled_back_wants_no_check() -> None:
    tenant = register()

    with transaction.atomic():
        give_key(tenant)
        transaction.set_rollback(True)

    assert not CheckPlan.objects.exists()


def test_a_replaced_key_is_due_again_and_earlier_findings_are_forgotten(alder: Customer) -> None:
    later = timezone.now() + timedelta(hours=1)
    CheckPlan.objects.update(due_at=later, recent=["missing_scope"], attempts=2)

    replace_key(key=alder.key, plaintext=Secret(key_text()), actor=SYSTEM)

    plans = CheckPlan.objects.all()
    assert len(plans) == 2
    assert all((plan.recent, plan.attempts) == ([], 0) and plan.due_at < later for plan in plans)


def test_each_check_is_planned_once_by_a_change(alder: Customer) -> None:
    with CaptureQueriesContext(connection) as queries:
        replace_key(key=alder.key, plaintext=Secret(key_text()), actor=SYSTEM)

    assert sum('UPDATE "key_health_checkplan"' in query["sql"] for query in queries) == 2


def test_another_workflow_makes_the_checks_of_its_keys_due(alder: Customer) -> None:
    CheckPlan.objects.update(due_at=timezone.now() + timedelta(hours=1))

    forget_pair_verdicts(alder.assistant)

    assert {plan.assistant_id for plan in claim_due(limit=10)} == {None, alder.assistant.pk}


def test_a_retired_key_has_no_plans(alder: Customer) -> None:
    retire_key(key=alder.key, actor=SYSTEM)

    assert not CheckPlan.objects.exists()


def test_a_dying_tenant_has_no_plans_and_others_keep_theirs(alder: Customer, birch: Customer) -> None:
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    assert set(CheckPlan.objects.values_list("key__tenant__name", flat=True)) == {"Birch"}


def test_a_pair_that_is_taken_apart_is_checked_no_more(alder: Customer) -> None:
    AssistantKey.objects.get(key=alder.key).delete()

    assert wanted() == {("production", None)}


def test_keys_of_a_suspended_tenant_are_not_checked_until_it_is_resumed(alder: Customer) -> None:
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    while_suspended = claim_due(limit=10)
    resume_tenant(tenant=alder.tenant, actor=SYSTEM)

    assert while_suspended == []
    assert len(claim_due(limit=10)) == 2


def test_what_came_without_a_signal_gets_its_plan_from_the_tick(alder: Customer) -> None:
    CheckPlan.objects.all().delete()

    assert plan_missing() == 2
    assert plan_missing() == 0


def test_what_is_claimed_is_claimed_by_nobody_else_until_the_claim_expires(alder: Customer) -> None:
    first = claim_due(limit=10)
    second = claim_due(limit=10)
    let_time_pass()
    third = claim_due(limit=10)

    assert (len(first), len(second), len(third)) == (2, 0, 2)
    assert {plan.attempts for plan in third} == {2}


def test_what_was_not_begun_is_given_back_as_if_it_had_not_been_claimed(alder: Customer) -> None:
    release(claim_due(limit=10))

    assert {plan.attempts for plan in claim_due(limit=10)} == {1}


@pytest.mark.proof("I6")
def test_processes_that_claim_at_the_same_moment_share_the_plans_out() -> None:
    tenant = register()
    for number in range(40):
        give_key(tenant, label=f"key {number}")
    start = Barrier(4)

    def claim() -> list[int]:
        start.wait()
        try:
            won: list[int] = []
            for _ in range(4):
                won += [plan.pk for plan in claim_due(limit=5)]
            return won
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        claimed = [pk for won in pool.map(lambda _: claim(), range(4)) for pk in won]

    assert len(claimed) == len(set(claimed))
    assert len(claimed) + len(claim_due(limit=100)) == 40


@pytest.mark.parametrize("of_pair", [False, True])
@pytest.mark.parametrize("verdict", [Verdict.HEALTHY, Verdict.WORKFLOW_MISSING])
def test_the_next_check_is_early_by_up_to_a_fifth_and_never_late(
    alder: Customer, of_pair: bool, verdict: Verdict
) -> None:
    now = timezone.now()
    waits_long = of_pair and verdict == Verdict.HEALTHY
    interval = settings.CHECK_FULL_INTERVAL if waits_long else settings.CHECK_INTERVAL

    gaps = [next_due(alder.plan(of_pair=of_pair), verdict, None, now=now) - now for _ in range(200)]

    assert interval * 0.8 <= min(gaps) < interval * 0.85
    assert interval * 0.95 < max(gaps) <= interval
