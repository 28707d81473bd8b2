"""Withdrawn access cancels live sessions at OpenAI, newest first, and nobody else's."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.record import SYSTEM
from encryption.secret import Secret
from sandbox.testing import Sandbox
from sessions_api.cancel import cancel_claimed
from sessions_api.models import LiveSession
from sessions_api.tasks import tick
from tenants.assistants import delete_assistant
from tenants.keys import REPLACED_KEPT_FOR, replace_key, retire_key
from tenants.models import ApiKey, ReplacedKey
from tenants.states import suspend_tenant
from tests.key_health.cast import Customer
from tests.sessions_api.revoked_cast import upstream_ids
from tests.sessions_api.upstream_sessions import open_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.proof("T8")
def test_suspending_a_tenant_cancels_its_sessions_newest_first_and_no_others(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    old = open_session(sandbox, alder, granted_at=timezone.now() - timedelta(minutes=5))
    new = open_session(sandbox, alder)
    other = open_session(sandbox, birch)

    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    tick()

    cancelled = [call["session"] for call in sandbox.calls(path="/cancel")]
    assert set(cancelled) == {new.session_id, old.session_id}
    assert upstream_ids(sandbox) == {other.session_id}
    assert LiveSession.objects.filter(tenant=alder.tenant, cancelled_at=None).count() == 0
    assert LiveSession.objects.get(pk=other.pk).cancel_requested_at is None


@pytest.mark.proof("T8")
def test_retiring_a_key_cancels_the_sessions_that_it_opened_with_its_ciphertext(
    sandbox: Sandbox, alder: Customer
) -> None:
    open_session(sandbox, alder)

    retire_key(key=alder.key, actor=SYSTEM)
    tick()

    assert upstream_ids(sandbox) == set()


@pytest.mark.proof("T8")
def test_deleting_an_assistant_cancels_its_sessions(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)

    delete_assistant(assistant=alder.assistant, actor=SYSTEM)
    tick()

    assert upstream_ids(sandbox) == set()


def test_a_session_that_was_written_down_after_the_suspension_is_cancelled_too(
    sandbox: Sandbox, alder: Customer
) -> None:
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    open_session(sandbox, alder)

    tick()

    assert upstream_ids(sandbox) == set()


def replaced(sandbox: Sandbox, customer: Customer, *, project: str) -> None:
    secret = sandbox.add_key(project=project, workflows=[customer.workflow_id])
    replace_key(key=customer.key, plaintext=Secret(secret), actor=SYSTEM)
    customer.secret = secret


@pytest.mark.proof("T8")
def test_sessions_of_replaced_keys_are_cancelled_each_with_its_own(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    replaced(sandbox, alder, project="proj_second")
    open_session(sandbox, alder)
    replaced(sandbox, alder, project="proj_third")
    open_session(sandbox, alder)

    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    tick()

    assert upstream_ids(sandbox) == set()
    assert LiveSession.objects.filter(cancelled_at=None).count() == 0


def test_a_session_whose_key_was_revoked_is_not_gone_because_another_project_does_not_know_it(
    sandbox: Sandbox, alder: Customer
) -> None:
    session = open_session(sandbox, alder)
    sandbox.set_key(alder.secret, "invalid")
    replaced(sandbox, alder, project="proj_second")

    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)

    assert cancel_claimed() == (1, 0)
    assert LiveSession.objects.get(pk=session.pk).cancelled_at is None


def test_a_session_whose_key_was_revoked_is_cancelled_with_the_new_key_of_its_project(
    sandbox: Sandbox, alder: Customer
) -> None:
    open_session(sandbox, alder)
    sandbox.set_key(alder.secret, "invalid")
    replaced(sandbox, alder, project="proj_alder")

    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)

    assert cancel_claimed() == (1, 1)
    assert upstream_ids(sandbox) == set()


def test_the_ciphertext_of_a_replaced_key_goes_when_no_session_can_need_it(sandbox: Sandbox, alder: Customer) -> None:
    replaced(sandbox, alder, project="proj_second")

    tick()
    kept = ReplacedKey.objects.count()
    ReplacedKey.objects.update(replaced_at=timezone.now() - REPLACED_KEPT_FOR - timedelta(seconds=1))
    tick()

    assert kept == 1
    assert not ReplacedKey.objects.exists()


def test_a_key_that_cannot_be_used_does_not_keep_the_sessions_of_others(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    for customer in (alder, birch):
        open_session(sandbox, customer)
        suspend_tenant(tenant=customer.tenant, actor=SYSTEM)
    ApiKey.objects.filter(pk=alder.key.pk).update(organization="org 1")

    assert cancel_claimed() == (2, 1)


def test_what_cannot_be_cancelled_is_tried_again_later_and_not_at_once(sandbox: Sandbox, alder: Customer) -> None:
    session = open_session(sandbox, alder)
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    sandbox.set_host("down")

    first, second = cancel_claimed(), cancel_claimed()
    sandbox.set_host("up")
    LiveSession.objects.update(claimed_until=timezone.now())
    third = cancel_claimed()

    assert (first, second, third) == ((1, 0), (0, 0), (1, 1))
    assert LiveSession.objects.get(pk=session.pk).cancelled_at is not None


def test_a_session_that_openai_has_forgotten_counts_as_cancelled(sandbox: Sandbox, alder: Customer) -> None:
    session = open_session(sandbox, alder)
    LiveSession.objects.filter(pk=session.pk).update(session_id=f"cksess_{uuid.uuid4().hex}")
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)

    assert cancel_claimed() == (1, 1)


def test_expired_sessions_are_not_cancelled_but_forgotten(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    LiveSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)

    tick()

    assert sandbox.calls(path="/cancel") == []
    assert not LiveSession.objects.exists()
