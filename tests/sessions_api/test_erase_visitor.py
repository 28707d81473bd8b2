"""Erasing one visitor: every thread, session, token and link of theirs goes; nothing of others."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from gateway.visitor_tokens import Visitor
from sandbox.testing import Sandbox
from sessions_api.certificate import hash_of
from sessions_api.erase_visitor import (
    ErasureRefused,
    Person,
    advance_erasures,
    erase_visitor,
    find_by_ref,
    find_by_subject,
    find_by_user,
)
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest, VisitorErasure, VisitorLink
from sessions_api.replay import write_lines
from sessions_api.spool_lines import to_line
from sessions_api.tasks import delete_tenants
from tenants.models import Tenant
from tenants.states import start_deletion
from tests.key_health.cast import Customer
from tests.proof.plugin import Proof
from tests.sessions_api.erasure_cast import another_project, certified, come, users, visit, work
from tests.sessions_api.upstream_sessions import chat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.proof("T8")
def test_a_visitor_is_erased_with_every_key_and_others_stay(
    sandbox: Sandbox, alder: Customer, birch: Customer, proof: Proof
) -> None:
    second, third = another_project(sandbox, alder, "proj_second"), another_project(sandbox, alder, "proj_third")
    ann, ben = come(alder), come(alder)
    many = proof.size(reduced=110, full=1000)
    with ThreadPoolExecutor(8) as visits:
        talk = partial(chat, sandbox, user=ann.user, times=5)
        list(visits.map(talk, [alder, second] * (many // 10)))
    chat(sandbox, alder, user=ben.user, times=3)
    chat(sandbox, birch, user=come(birch).user)
    chat(sandbox, second, user="other software")
    sandbox.expire_sessions()
    live, other = visit(sandbox, alder, ann), visit(sandbox, alder, ben)

    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    marked = LiveSession.objects.exclude(cancel_requested_at=None).get()
    work()

    assert marked.pk == live.pk
    assert ann.user not in users(sandbox)
    assert len(users(sandbox)) == 5
    assert {session["id"] for session in sandbox.live_sessions()} == {other.session_id}
    assert not VisitorLink.objects.filter(user=ann.user).exists()
    assert VisitorLink.objects.filter(user=ben.user).exists()
    assert RevokedVisitor.objects.get().ref == ann.ref
    assert SessionRequest.objects.filter(visitor_ref=ann.ref).count() == 1
    certificate = certified(erasure)
    assert certificate["visitor_sha256"] == hash_of(ann.user)
    assert (certificate["complete"], certificate["threads_deleted"]) == (True, many)
    by_key = {key["key"]: key["threads_deleted"] for key in certificate["keys"]}
    assert by_key == {alder.key.label: many // 2, second.key.label: many // 2, third.key.label: 0}
    assert certificate["sessions"] == {"cancelled": 1, "expired": 0}
    assert certificate["rows_deleted"] == {"visitor_links": 1, "live_sessions": 1}
    proof.record(keys=3, threads=many)


def test_nothing_that_stays_leads_to_the_person(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder, Visitor.known("ann@example.com", pseudonym=b"p" * 16))
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    work()

    erasure.refresh_from_db()
    assert (erasure.user, erasure.ref) == ("", "")
    kept = "".join(str(event.changes) + event.subject for event in AuditEvent.objects.all()) + erasure.certificate
    for name in (ann.user, ann.user.rsplit(".", 1)[1], ann.ref, "ann@example.com", (b"p" * 16).hex()):
        assert name not in kept
    actions = AuditEvent.objects.filter(action__startswith="visitor:").order_by("seq")
    assert [event.action for event in actions] == [Action.VISITOR_ERASURE_REQUESTED, Action.VISITOR_ERASED]
    assert {event.subject_id for event in actions} == {str(erasure.pk)}


def test_a_visitor_is_found_by_reference_by_the_tenants_own_name_and_by_the_name_at_openai(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    ann = come(alder, Visitor.known("ann", pseudonym=b"p" * 16))

    assert find_by_ref(alder.tenant, ann.ref.upper()) == ann
    assert find_by_subject(alder.tenant, "ann") == ann
    assert find_by_user(alder.tenant, ann.user) == ann
    assert find_by_subject(alder.tenant, "nobody yet").ref == ""
    with pytest.raises(ErasureRefused, match="erased already, or mistyped"):
        find_by_ref(birch.tenant, ann.ref)
    with pytest.raises(ErasureRefused, match="is called"):
        find_by_user(birch.tenant, ann.user)


def test_threads_of_somebody_whom_the_platform_has_forgotten_are_erased_by_name(
    sandbox: Sandbox, alder: Customer
) -> None:
    person = find_by_subject(alder.tenant, "ann")
    chat(sandbox, alder, user=person.user)

    erasure = erase_visitor(tenant=alder.tenant, person=person, actor=SYSTEM)
    work()

    assert users(sandbox) == []
    assert certified(erasure)["visitor_sha256"] == hash_of(person.user)
    assert not RevokedVisitor.objects.exists()


def test_asking_twice_is_one_erasure_and_one_who_came_back_is_erased_again(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder, Visitor.known("ann", pseudonym=b"p" * 16))
    first = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    same = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    work()
    back = come(alder, Visitor.known("ann", pseudonym=b"q" * 16))
    chat(sandbox, alder, user=back.user)
    sandbox.expire_sessions()

    again = erase_visitor(tenant=alder.tenant, person=find_by_subject(alder.tenant, "ann"), actor=SYSTEM)
    work()

    assert same.pk == first.pk != again.pk
    assert back.ref != ann.ref
    assert certified(again)["visitor_sha256"] == hash_of(back.user)
    assert users(sandbox) == []


def test_the_deletion_of_a_tenant_waits_for_erasures_and_their_certificates_outlive_it(
    sandbox: Sandbox, alder: Customer
) -> None:
    erasure = erase_visitor(tenant=alder.tenant, person=come(alder), actor=SYSTEM)
    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    delete_tenants()
    waiting = Tenant.objects.exists()

    with pytest.raises(ErasureRefused, match="erases all of its visitors"):
        erase_visitor(tenant=alder.tenant, person=Person(f"v1.{alder.tenant.public_id}.x"), actor=SYSTEM)
    work()
    Tenant.objects.get().deletion.__class__.objects.update(due_at=timezone.now())
    delete_tenants()

    assert waiting
    assert not Tenant.objects.exists()
    assert certified(erasure)["tenant"]["name"] == "Alder"


def test_the_api_gives_the_threads_of_somebody_else_and_they_stay(sandbox: Sandbox, alder: Customer) -> None:
    """Should the filter by user ever be ignored, whose a thread is decides."""
    ann = come(alder)
    chat(sandbox, alder, user="somebody else", times=2)
    chat(sandbox, alder, user=ann.user)
    chat(sandbox, alder, user=f"{ann.user}x")
    sandbox.expire_sessions()
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    work()

    assert users(sandbox) == ["somebody else", "somebody else", f"{ann.user}x"]
    listed = [call for call in sandbox.calls(path="/chatkit/threads") if call["method"] == "GET"]
    assert listed


def test_no_worker_is_needed_for_what_counts_at_once(alder: Customer) -> None:
    erase_visitor(tenant=alder.tenant, person=come(alder), actor=SYSTEM)

    assert RevokedVisitor.objects.count() == 1
    assert advance_erasures(VisitorErasure.objects.none()) == 0


@pytest.mark.parametrize("is_known_here", [True, False])
def test_what_a_dead_process_had_spooled_of_an_erased_visitor_leads_to_nobody_and_is_cancelled(
    sandbox: Sandbox, alder: Customer, is_known_here: bool
) -> None:
    ann = come(alder)
    session = visit(sandbox, alder, ann)
    link = VisitorLink.objects.get(user=ann.user)
    line = to_line([session, link])
    LiveSession.objects.all().delete()
    if not is_known_here:
        link.delete()
    erase_visitor(tenant=alder.tenant, person=find_by_user(alder.tenant, ann.user), actor=SYSTEM)
    work()

    assert write_lines([line]) == []

    assert not VisitorLink.objects.filter(user=ann.user).exists()
    assert LiveSession.objects.get().cancel_requested_at is not None
    assert RevokedVisitor.objects.get().ref == ann.ref


def test_who_came_back_after_the_erasure_is_somebody_new_whose_spooled_link_is_written(
    sandbox: Sandbox, alder: Customer
) -> None:
    ann, ben = come(alder), come(alder)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    work()
    links = [
        VisitorLink(user=person.user, ref=person.ref, tenant=alder.tenant, first_seen_at=timezone.now())
        for person in (ann, ben)
    ]
    VisitorLink.objects.all().delete()

    write_lines([to_line([link]) for link in links])

    assert VisitorLink.objects.count() == 2
