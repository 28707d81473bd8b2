"""Withdrawn access cancels live sessions at OpenAI, newest first, and nobody else's."""

import threading
import uuid
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.secret import Secret
from sandbox.testing import Sandbox
from sessions_api.cancel import cancel_claimed
from sessions_api.models import LiveSession, RevokedVisitor
from sessions_api.revoke import WAVE_KEPT_FOR, CancelReason, revoke_visitor
from sessions_api.tasks import tick
from sessions_api.waves import waves_of
from tenants.assistants import delete_assistant, let_assistant_use_key
from tenants.domains import allow_domain
from tenants.keys import REPLACED_KEPT_FOR, replace_key, retire_key
from tenants.models import AllowedDomain, ApiKey, ReplacedKey, Tenant, TenantState
from tenants.signals import origins_changed
from tenants.states import suspend_tenant
from tests.key_health.cast import Customer
from tests.sessions_api.upstream_sessions import open_session
from tests.tenants.cast import give_assistant, give_key

pytestmark = pytest.mark.django_db(transaction=True)


def upstream_ids(sandbox: Sandbox) -> set[str]:
    return {session["id"] for session in sandbox.live_sessions()}


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


def test_what_was_to_be_cancelled_is_seen_for_an_hour_after_its_expiry(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    open_session(sandbox, alder)
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)
    tick()
    late = LiveSession.objects.first()
    LiveSession.objects.filter(pk=late.pk).update(cancelled_at=None)
    LiveSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    tick()
    [wave] = waves_of(alder.tenant.pk)
    LiveSession.objects.update(expires_at=timezone.now() - WAVE_KEPT_FOR - timedelta(seconds=1))
    tick()

    assert (wave.why, wave.sessions, wave.cancelled, wave.expired) == ("tenant suspended", 2, 1, 1)
    assert wave.is_over
    assert not LiveSession.objects.exists()


def visit(sandbox: Sandbox, customer: Customer, origin: str = "", **fields: object) -> LiveSession:
    session = open_session(sandbox, customer)
    for name, value in {"origin": origin, **fields}.items():
        setattr(session, name, value)
    session.save()
    return session


def allowed(customer: Customer, *websites: str) -> None:
    for website in websites:
        allow_domain(tenant=customer.tenant, text=website, actor=SYSTEM)


@pytest.mark.proof("T8")
def test_a_website_that_is_taken_off_the_list_loses_its_sessions_and_no_other_does(
    sandbox: Sandbox, alder: Customer, birch: Customer, settings: Any
) -> None:
    allowed(alder, "shop.example", "*.shop.example", "news.example")
    allowed(birch, "news.example")
    for customer, origin in [
        (alder, "https://shop.example"),
        (alder, "https://de.shop.example"),
        (birch, "https://news.example"),
        (alder, settings.PREVIEW_ORIGIN),
    ]:
        visit(sandbox, customer, origin)
    lost = visit(sandbox, alder, "https://news.example")

    AllowedDomain.objects.get(tenant=alder.tenant, host="news.example").delete()
    origins_changed.send(sender=Tenant, tenant_id=alder.tenant.pk)
    marked = set(LiveSession.objects.exclude(cancel_requested_at=None).values_list("pk", flat=True))
    tick()

    assert marked == {lost.pk}
    assert lost.session_id not in upstream_ids(sandbox)
    assert len(upstream_ids(sandbox)) == 4


def test_what_leaves_the_list_without_a_word_is_found_by_the_tick(sandbox: Sandbox, alder: Customer) -> None:
    """A pattern that expires, a row deleted by hand."""
    allowed(alder, "shop.example")
    visit(sandbox, alder, "https://shop.example")
    AllowedDomain.objects.all().delete()

    tick()

    assert upstream_ids(sandbox) == set()
    assert LiveSession.objects.get().cancel_reason == CancelReason.ORIGIN_WITHDRAWN


@pytest.mark.proof("T8")
def test_taking_a_key_from_an_assistant_cancels_the_sessions_of_that_pair_alone(
    sandbox: Sandbox, alder: Customer
) -> None:
    other = give_assistant(alder.tenant, alder.key, slug="other", workflow_id=alder.workflow_id)
    lost = open_session(sandbox, alder)
    kept = visit(sandbox, alder, assistant_id=other.pk)
    alder.pair.delete()

    tick()

    assert upstream_ids(sandbox) == {kept.session_id}
    assert LiveSession.objects.get(pk=lost.pk).cancelled_at is not None


@pytest.mark.proof("T8")
def test_a_session_that_began_before_its_visitor_signed_out_is_cancelled_and_one_after_a_new_log_in_is_not(
    sandbox: Sandbox, alder: Customer
) -> None:
    before, after = open_session(sandbox, alder), open_session(sandbox, alder)
    revoke_visitor(tenant_id=alder.tenant.pk, ref=before.visitor_ref, reason=CancelReason.SIGNED_OUT)
    # Written down after the sign-out had looked.
    LiveSession.objects.update(cancel_requested_at=None, visitor_ref=before.visitor_ref)
    LiveSession.objects.filter(pk=after.pk).update(granted_at=timezone.now() + timedelta(seconds=3))

    tick()

    assert upstream_ids(sandbox) == {after.session_id}


def test_revocations_are_forgotten_when_no_token_is_old_enough_for_them(alder: Customer) -> None:
    for ref, days in (("a" * 32, 182), ("b" * 32, 179)):
        RevokedVisitor.objects.create(ref=ref, tenant=alder.tenant, revoked_at=timezone.now() - timedelta(days=days))

    tick()

    assert [row.ref for row in RevokedVisitor.objects.all()] == ["b" * 32]


@pytest.mark.parametrize(
    "narrowed",
    [{"visitor": "a" * 32}, {"key": "second"}, {"assistant": "other"}, {"origin": "https://shop.example/"}],
    ids=lambda narrowed: next(iter(narrowed)),
)
def test_the_command_narrows_down_to_a_visitor_a_key_an_assistant_or_a_website(
    sandbox: Sandbox, alder: Customer, narrowed: dict[str, str]
) -> None:
    allowed(alder, "shop.example", "news.example")
    second = give_key(alder.tenant, alder.secret, label="second")
    other = give_assistant(alder.tenant, alder.key, second, slug="other", workflow_id=alder.workflow_id)
    let_assistant_use_key(assistant=alder.assistant, key=second, actor=SYSTEM, position=2)
    meant = {
        "visitor": visit(sandbox, alder, visitor_ref="a" * 32),
        "key": visit(sandbox, alder, key=second),
        "assistant": visit(sandbox, alder, assistant_id=other.pk),
        "origin": visit(sandbox, alder, "https://shop.example"),
    }

    call_command("revoke_sessions", tenant="alder", stdout=StringIO(), **narrowed)

    [lost] = {session.session_id for session in meant.values()} - upstream_ids(sandbox)
    assert lost == meant[next(iter(narrowed))].session_id
    event = AuditEvent.objects.get(action=Action.SESSIONS_REVOKED)
    assert event.changes["sessions"] == 1
    assert len(event.changes) == 2


def test_the_command_ends_the_sessions_of_every_tenant_only_when_it_is_told_so(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    for customer in (alder, birch):
        open_session(sandbox, customer)

    with pytest.raises(CommandError, match="one of the arguments --tenant --all is required"):
        call_command("revoke_sessions")
    with pytest.raises(CommandError, match="no other option"):
        call_command("revoke_sessions", "--all", "--key", "production")
    untouched = len(upstream_ids(sandbox))
    call_command("revoke_sessions", "--all", stdout=StringIO())

    assert untouched == 2
    assert upstream_ids(sandbox) == set()
    assert AuditEvent.objects.filter(action=Action.SESSIONS_REVOKED).count() == 2


def test_the_command_waits_and_shows_how_far_it_is(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    sandbox.set_host("down")
    back = threading.Timer(1.5, lambda: sandbox.set_host("up"))
    back.start()
    out = StringIO()

    call_command("revoke_sessions", tenant="alder", wait=30, stdout=out)
    back.join()

    lines = out.getvalue().splitlines()
    assert "1 could not be cancelled yet" in lines[0]
    assert lines[-1].startswith("1 sessions: 1 cancelled")


def test_the_command_cancels_the_sessions_of_a_tenant_that_goes_on(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    out = StringIO()

    call_command("revoke_sessions", tenant="alder", stdout=out)

    assert upstream_ids(sandbox) == set()
    assert "1 sessions: 1 cancelled, 0 waiting" in out.getvalue()
    assert Tenant.objects.get(pk=alder.tenant.pk).state == TenantState.ACTIVE
    assert AuditEvent.objects.get(action=Action.SESSIONS_REVOKED).changes["sessions"] == 1


def test_the_command_says_what_it_could_not_cancel(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    sandbox.set_key(alder.secret, "invalid")
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("revoke_sessions", tenant="alder", stdout=out)

    assert "0 cancelled, 0 waiting, 1 could not be cancelled yet" in out.getvalue()
    assert alder.secret not in out.getvalue()


def test_the_command_names_the_cure_for_a_slug_that_nobody_has(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="admin's list"):
        call_command("revoke_sessions", tenant="oak")
