"""Each ground that a session rests on, withdrawn: its website, its pair, its visitor."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.record import SYSTEM
from gateway.visitor_tokens import Visitor
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest
from sessions_api.revoke import WAVE_KEPT_FOR, CancelReason, revoke_visitor
from sessions_api.tasks import tick
from sessions_api.waves import waves_of
from tenants.identity_keys import add_secret, retire_identity_key
from tenants.models import AllowedDomain, Tenant
from tenants.signals import origins_changed
from tenants.states import suspend_tenant
from tests.key_health.cast import Customer
from tests.sessions_api.erasure_cast import come
from tests.sessions_api.revoked_cast import allowed, upstream_ids, visit
from tests.sessions_api.upstream_sessions import open_session
from tests.tenants.cast import give_assistant

pytestmark = pytest.mark.django_db(transaction=True)


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


@pytest.mark.parametrize(
    ("began", "identity", "is_cancelled"),
    [(1, "kept", True), (1, "ok", False), (-1, "ok", True), (3, "kept", False)],
    ids=["by an old token", "signed in again", "signed in before", "long after"],
)
def test_whoever_signs_in_again_right_after_signing_out_keeps_the_new_session(
    sandbox: Sandbox, alder: Customer, began: int, identity: str, is_cancelled: bool
) -> None:
    ref, signed_out_at = "v" * 32, timezone.now()
    granted_at = signed_out_at + timedelta(seconds=began)
    RevokedVisitor.objects.create(ref=ref, tenant=alder.tenant, revoked_at=signed_out_at)
    session = visit(sandbox, alder, visitor_ref=ref, granted_at=granted_at)
    SessionRequest.objects.create(
        at=granted_at, tenant=alder.tenant, outcome="granted", visitor_ref=ref, identity=identity
    )

    tick()

    assert (session.session_id not in upstream_ids(sandbox)) is is_cancelled


@pytest.mark.parametrize(
    ("others", "ends_chats", "is_cancelled"), [(0, False, True), (1, False, False), (1, True, True)]
)
def test_retiring_a_signing_key_cancels_what_signed_visitors_have_open_and_nothing_of_others(
    sandbox: Sandbox, alder: Customer, birch: Customer, others: int, ends_chats: bool, is_cancelled: bool
) -> None:
    key, _ = add_secret(tenant=alder.tenant, label="website", actor=SYSTEM)
    for number in range(others):
        add_secret(tenant=alder.tenant, label=f"other {number}", actor=SYSTEM)
    signed = come(alder, Visitor.known("ann", pseudonym=b"p" * 16))
    visit(sandbox, alder, visitor_ref=come(alder).ref)
    visit(sandbox, birch, visitor_ref=come(birch, Visitor.known("ann", pseudonym=b"q" * 16)).ref)
    session = visit(sandbox, alder, visitor_ref=signed.ref)

    retire_identity_key(key=key, actor=SYSTEM, ends_chats=ends_chats)
    tick()

    assert (session.session_id not in upstream_ids(sandbox)) is is_cancelled
    assert len(upstream_ids(sandbox)) == 3 - is_cancelled
