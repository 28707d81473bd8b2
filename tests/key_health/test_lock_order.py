"""The order of locks (audit/record.py) on PostgreSQL: of two changes that meet half-way neither is ended by a deadlock."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from audit.record import SYSTEM
from encryption.secret import Secret
from key_health.conclude import conclude
from key_health.models import CheckPlan
from key_health.plans import claim_due
from key_health.request import request_check
from key_health.verdicts import Finding
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession
from sessions_api.revoke import Which, revoke_sessions
from tenants.assistants import delete_assistant
from tenants.keys import replace_key, retire_key
from tenants.models import ApiKey, AssistantKey, Verdict
from tenants.states import suspend_tenant
from tests.key_health.cast import Customer, let_time_pass
from tests.sessions_api.upstream_sessions import open_session
from tests.tenants.cast import key_text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("on_services")]

REFUSED = Finding(Verdict.INVALID_KEY, "invalid_key", status=401)
DOUBTED = Finding(Verdict.INVALID_KEY, "key_unauthorised", status=401)


def stopping_at(table: str, reached: Event) -> AbstractContextManager[None]:
    """Stands still for half a second before the first statement about a table, with all locks in its hands."""

    def pause(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if f'"{table}"' in sql and not reached.is_set():
            reached.set()
            time.sleep(0.5)
        return execute(sql, params, many, context)

    return connection.execute_wrapper(pause)


def meet(first: Callable[[], Any], table: str, second: Callable[[], Any]) -> None:
    """Runs the second deed while the first one stands still; raises what either raises."""
    reached = Event()

    def begin() -> None:
        try:
            with stopping_at(table, reached):
                first()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        begun = threads.submit(begin)
        assert reached.wait(10)
        second()
        begun.result(timeout=10)


def plan_of(customer: Customer, *, pair: bool) -> CheckPlan:
    let_time_pass()
    return next(plan for plan in claim_due(limit=10) if (plan.assistant_id is not None) is pair)


@pytest.mark.parametrize("pair", [False, True])
def test_check_now_and_a_finding_that_is_written_down(alder: Customer, pair: bool) -> None:
    plan = plan_of(alder, pair=pair)

    meet(
        lambda: request_check(key=alder.key, actor=SYSTEM),
        "key_health_checkplan",
        lambda: conclude(plan, REFUSED),
    )

    assert not CheckPlan.objects.filter(claim=plan.claim).exists()


def test_a_finding_that_hurries_the_check_of_its_key_and_check_now(alder: Customer) -> None:
    plan = plan_of(alder, pair=True)
    CheckPlan.objects.exclude(pk=plan.pk).update(claim=None, claimed_until=None, due_at=plan.due_at.replace(year=2099))
    AssistantKey.objects.update(verdict=Verdict.DEGRADED)

    meet(lambda: conclude(plan, DOUBTED), "key_health_keycheck", lambda: request_check(key=alder.key, actor=SYSTEM))

    assert alder.plan().due_at.year < 2099


@pytest.mark.parametrize("withdraw", ["suspend", "retire"])
def test_withdrawing_access_and_revoking_sessions(sandbox: Sandbox, alder: Customer, withdraw: str) -> None:
    open_session(sandbox, alder)
    deeds: dict[str, Callable[[], Any]] = {
        "suspend": lambda: suspend_tenant(tenant=alder.tenant, actor=SYSTEM),
        "retire": lambda: retire_key(key=alder.key, actor=SYSTEM),
    }

    meet(
        deeds[withdraw],
        "sessions_api_livesession",
        lambda: revoke_sessions(which=Which(alder.tenant.pk), actor=SYSTEM),
    )

    assert LiveSession.objects.filter(cancel_requested_at=None).count() == 0


def test_replacing_a_key_and_a_finding_about_the_old_one(alder: Customer) -> None:
    plan = plan_of(alder, pair=True)

    meet(
        lambda: replace_key(key=alder.key, plaintext=Secret(key_text()), actor=SYSTEM),
        "key_health_checkplan",
        lambda: conclude(plan, REFUSED),
    )

    assert alder.pair.verdict == Verdict.UNCHECKED


def test_deleting_an_assistant_and_a_finding_about_it(alder: Customer) -> None:
    plan = plan_of(alder, pair=True)

    meet(
        lambda: conclude(plan, Finding(Verdict.UPSTREAM_DOWN, "deadline")),
        "key_health_keycheck",
        lambda: delete_assistant(assistant=alder.assistant, actor=SYSTEM),
    )

    assert not AssistantKey.objects.exists()


def test_a_session_is_written_while_its_key_is_being_changed(sandbox: Sandbox, alder: Customer) -> None:
    def write() -> None:
        try:
            open_session(sandbox, alder)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        ApiKey.objects.lock(alder.key.pk)
        threads.submit(write).result(timeout=5)

    assert LiveSession.objects.count() == 1
