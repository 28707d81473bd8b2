"""Taking a tenant apart: everything of it goes, in order, whatever dies in between, and nothing of anybody else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api import erase
from sessions_api.delete_tenant import advance_deletions
from sessions_api.models import LiveSession, SessionRequest, TenantDeletion
from sessions_api.tasks import delete_tenants, tick
from tenants.identity_keys import add_secret
from tenants.models import ApiKey, IdentityKey, Tenant
from tenants.states import start_deletion
from tests.key_health.cast import Customer
from tests.sessions_api.upstream_sessions import chat, open_session

pytestmark = pytest.mark.django_db(transaction=True)


def let_time_pass() -> None:
    TenantDeletion.objects.update(due_at=timezone.now(), claimed_until=None)
    LiveSession.objects.update(claimed_until=None)


def users(sandbox: Sandbox) -> list[str]:
    return sorted(thread["user"] for thread in sandbox.threads())


def visitor(customer: Customer, name: str) -> str:
    return f"v1.{customer.tenant.public_id}.{name}"


def test_a_tenant_goes_with_its_sessions_threads_keys_and_rows_and_others_stay(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    for name in ("ann", "ben", "cat"):
        chat(sandbox, alder, user=visitor(alder, name))
    chat(sandbox, birch, user=visitor(birch, "dan"))
    chat(sandbox, alder, user="other-software-in-the-same-project")
    sandbox.expire_sessions()
    live = open_session(sandbox, alder)
    SessionRequest.objects.create(at=timezone.now(), tenant=alder.tenant, outcome="granted")

    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    tick()
    delete_tenants()

    assert live.session_id not in {session["id"] for session in sandbox.live_sessions()}
    assert users(sandbox) == sorted(["other-software-in-the-same-project", visitor(birch, "dan")])
    assert set(Tenant.objects.values_list("name", flat=True)) == {"Birch"}
    assert SessionRequest.objects.count() == 1
    event = AuditEvent.objects.get(action=Action.TENANT_DELETED)
    assert (event.tenant_id, event.subject) == (alder.tenant.pk, "Alder")
    assert event.changes["threads_deleted"] == 3
    assert event.changes["sessions_cancelled"] == 1
    assert event.changes["keys_unreachable"] == []
    assert event.changes["rows"]["apikey"] == 1


def test_nothing_is_erased_while_a_session_could_still_write(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    chat(sandbox, alder, user=visitor(alder, "ann"))
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    advance_deletions()
    before = users(sandbox)
    tick()
    let_time_pass()
    advance_deletions()

    assert before == [visitor(alder, "ann")]
    assert users(sandbox) == []
    assert not Tenant.objects.exists()


def test_more_threads_than_a_page_holds_are_all_met_among_those_of_others(sandbox: Sandbox, alder: Customer) -> None:
    for _ in range(3):
        chat(sandbox, alder, user=visitor(alder, "ann"), times=10)
        chat(sandbox, alder, user="somebody else's", times=10)
    sandbox.expire_sessions()
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    delete_tenants()

    assert users(sandbox) == ["somebody else's"] * 30
    assert (
        len([call for call in sandbox.calls(path="/chatkit/threads") if call["method"] == "GET"])
        == 1 + 60 // erase.PAGE
    )


def test_an_outage_only_delays_it(sandbox: Sandbox, alder: Customer) -> None:
    chat(sandbox, alder, user=visitor(alder, "ann"))
    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    sandbox.set_host("down")

    for _ in range(10):
        delete_tenants()
        let_time_pass()
    waiting = Tenant.objects.get()
    sandbox.set_host("up")
    delete_tenants()

    assert waiting.state == "deleting"
    assert users(sandbox) == []
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["keys_unreachable"] == []


def test_a_dead_key_does_not_hold_the_deletion_for_ever_and_the_audit_names_it(
    sandbox: Sandbox, alder: Customer
) -> None:
    chat(sandbox, alder, user=visitor(alder, "ann"))
    sandbox.set_key(alder.secret, "invalid")
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    for _ in range(3):
        delete_tenants()
        let_time_pass()

    assert not Tenant.objects.exists()
    event = AuditEvent.objects.get(action=Action.TENANT_DELETED)
    assert event.changes["keys_unreachable"] == [str(alder.key)]
    assert alder.secret not in str(event.changes)


def test_a_key_that_no_call_can_carry_is_given_up_at_once(sandbox: Sandbox, alder: Customer) -> None:
    ApiKey.objects.update(organization="org 1")
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    delete_tenants()

    assert not Tenant.objects.exists()
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["keys_unreachable"] == [str(alder.key)]


def test_it_goes_on_where_a_killed_worker_left_it(sandbox: Sandbox, alder: Customer) -> None:
    chat(sandbox, alder, user=visitor(alder, "ann"))
    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    # Killed after the secrets were destroyed and before the rows were deleted, its claim still there.
    deletion = TenantDeletion.objects.get()
    deletion.keys_done, deletion.threads_deleted = [str(alder.key.pk)], 1
    deletion.claimed_until = timezone.now() + timedelta(seconds=60)
    deletion.save()
    ApiKey.objects.update(token="")

    delete_tenants()
    while_claimed = Tenant.objects.exists()
    let_time_pass()
    delete_tenants()

    assert while_claimed
    assert not Tenant.objects.exists()
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["threads_deleted"] == 1


def test_what_a_tenant_signs_its_visitors_with_goes_too(sandbox: Sandbox, alder: Customer) -> None:
    add_secret(tenant=alder.tenant, label="website", actor=SYSTEM)
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    delete_tenants()

    assert not IdentityKey.objects.exists()
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["rows"]["identitykey"] == 1


def test_a_tenant_that_is_dying_without_a_plan_gets_one_from_the_tick(sandbox: Sandbox, alder: Customer) -> None:
    Tenant.objects.filter(pk=alder.tenant.pk).update(state="deleting")

    delete_tenants()

    assert not Tenant.objects.exists()
