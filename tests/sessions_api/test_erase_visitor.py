"""Erasing one visitor: every thread, session, token and link of theirs goes, whatever dies in between; nothing of others."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.secret import Secret
from gateway.visitor_tokens import Visitor, upstream_user, visitor_ref
from sandbox.testing import Sandbox
from sessions_api.certificate import certificate_key, hash_of, verify_certificate
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
from sessions_api.tasks import delete_tenants, erase_visitors, tick
from tenants.keys import add_key
from tenants.models import ApiKey, Tenant
from tenants.states import start_deletion
from tenants.user_scope import open_user_scope
from tests.key_health.cast import Customer
from tests.proof.plugin import Proof
from tests.sessions_api.upstream_sessions import chat, mint, open_session

pytestmark = pytest.mark.django_db(transaction=True)


def come(customer: Customer, visitor: Visitor | None = None) -> Person:
    """A visitor of whom the platform has what a first session leaves: link and ledger row."""
    visitor = visitor or Visitor.anonymous()
    person = Person(
        upstream_user(open_user_scope(customer.tenant), customer.tenant.public_id, visitor),
        visitor_ref(visitor, customer.tenant.public_id),
    )
    now = timezone.now()
    VisitorLink.objects.get_or_create(
        user=person.user,
        defaults={
            "tenant": customer.tenant,
            "ref": person.ref,
            "pseudonym": visitor.pseudonym.hex(),
            "first_seen_at": now,
        },
    )
    SessionRequest.objects.create(at=now, tenant=customer.tenant, outcome="granted", visitor_ref=person.ref)
    return person


def visit(sandbox: Sandbox, customer: Customer, person: Person) -> LiveSession:
    session = open_session(sandbox, customer)
    session.visitor_ref = person.ref
    session.save()
    return session


def another_project(sandbox: Sandbox, customer: Customer, name: str) -> Customer:
    """The same tenant with a key of another project."""
    secret = sandbox.add_key(project=name, workflows=[customer.workflow_id])
    key = add_key(tenant=customer.tenant, label=name, plaintext=Secret(secret), actor=SYSTEM)
    return Customer(customer.tenant, key, customer.assistant, secret, customer.workflow_id)


def let_time_pass() -> None:
    VisitorErasure.objects.update(due_at=timezone.now(), claimed_until=None)
    LiveSession.objects.update(claimed_until=None)


def work(*, looks: int = 20) -> None:
    """The worker's ticks, as if time flew."""
    for _ in range(looks):
        tick()
        erase_visitors()
        let_time_pass()


def users(sandbox: Sandbox) -> list[str]:
    return sorted(thread["user"] for thread in sandbox.threads())


def certified(erasure: VisitorErasure) -> dict[str, Any]:
    erasure.refresh_from_db()
    return verify_certificate(erasure.certificate, public_key=certificate_key())


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
    assert certificate["visitor_ref_sha256"] == hash_of(ann.ref)
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
    assert certified(erasure)["visitor_ref_sha256"] is None
    assert not RevokedVisitor.objects.exists()


def test_threads_stay_while_a_session_could_still_write(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    visit(sandbox, alder, ann)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    erase_visitors()
    before = users(sandbox)
    work()

    assert before == [ann.user]
    assert users(sandbox) == []


def test_a_session_that_is_written_down_while_threads_are_being_erased_does_not_survive(
    sandbox: Sandbox, alder: Customer
) -> None:
    second = another_project(sandbox, alder, "proj_second")
    ann = come(alder)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    sandbox.set_key(second.secret, "throttled", times=1)
    erase_visitors()
    half_way = VisitorErasure.objects.get()
    late = visit(sandbox, alder, ann)
    sandbox.say(mint(sandbox, alder, user=ann.user).session.client_secret, "Still here")
    sandbox.expire_sessions()

    work()

    assert half_way.finished_at is None
    assert half_way.keys_done == [str(alder.key.pk)]
    assert users(sandbox) == []
    assert not LiveSession.objects.filter(pk=late.pk).exists()
    assert VisitorErasure.objects.get().finished_at is not None


def test_a_session_that_is_written_down_after_the_end_of_the_erasure_is_cancelled(
    sandbox: Sandbox, alder: Customer
) -> None:
    ann = come(alder)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    began = timezone.now()
    work()
    late = visit(sandbox, alder, ann)
    LiveSession.objects.filter(pk=late.pk).update(granted_at=began)

    tick()

    assert late.session_id not in {session["id"] for session in sandbox.live_sessions()}


def test_an_outage_in_the_middle_only_delays_it(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user, times=10)
    sandbox.expire_sessions()
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    sandbox.fault("status_503", path="/v1/chatkit/threads/", count=4)

    erase_visitors()
    left = len(users(sandbox))
    sandbox.set_host("down")
    work(looks=3)
    sandbox.clear_faults()
    sandbox.set_host("up")
    work()

    assert 0 < left < 10
    assert users(sandbox) == []
    assert certified(erasure)["complete"]
    assert certified(erasure)["threads_deleted"] == 10


def test_it_goes_on_where_a_killed_worker_left_it(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user, times=3)
    sandbox.expire_sessions()
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    VisitorErasure.objects.update(claim=uuid.uuid4(), claimed_until=timezone.now() + timedelta(seconds=60))

    erase_visitors()
    while_claimed = len(users(sandbox))
    work()

    assert while_claimed == 3
    assert users(sandbox) == []
    assert certified(erasure)["complete"]


def test_a_key_that_openai_refuses_is_named_and_the_others_are_used(sandbox: Sandbox, alder: Customer) -> None:
    second = another_project(sandbox, alder, "proj_second")
    ann = come(alder)
    for customer in (alder, second):
        chat(sandbox, customer, user=ann.user)
    sandbox.expire_sessions()
    sandbox.set_key(alder.secret, "invalid")
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    work()

    certificate = certified(erasure)
    reached = {key["key"]: (key["threads_deleted"], key["not_reached"]) for key in certificate["keys"]}
    assert reached == {alder.key.label: (0, "invalid_key"), second.key.label: (1, "")}
    assert not certificate["complete"]
    assert len(users(sandbox)) == 1
    [event] = AuditEvent.objects.filter(action=Action.VISITOR_ERASED)
    assert event.changes["keys_unreachable"] == [f"{alder.key.label}: invalid_key"]
    assert alder.secret not in erasure.certificate + str(event.changes)


def test_a_key_that_no_call_can_carry_is_named_at_once(sandbox: Sandbox, alder: Customer) -> None:
    ApiKey.objects.update(organization="org 1")
    erasure = erase_visitor(tenant=alder.tenant, person=come(alder), actor=SYSTEM)

    erase_visitors()

    assert certified(erasure)["keys"][0]["not_reached"] == "key_malformed"


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
    assert certified(again)["visitor_ref_sha256"] == hash_of(back.ref)
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


def test_the_command_wants_a_yes_erases_and_prints_the_certificate(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    visit(sandbox, alder, ann)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    out, err = StringIO(), StringIO()

    with pytest.raises(CommandError, match="Add --yes"):
        call_command("erase_visitor", tenant="alder", ref=ann.ref)
    untouched = len(users(sandbox))
    call_command("erase_visitor", tenant="alder", ref=ann.ref, yes=True, wait=30, stdout=out, stderr=err)

    assert untouched == 1
    assert users(sandbox) == []
    assert json.loads(out.getvalue())["certificate"]["complete"]


def test_the_command_says_by_its_exit_code_what_is_not_done(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    sandbox.set_host("down")

    with pytest.raises(SystemExit) as late:
        call_command("erase_visitor", tenant="alder", ref=ann.ref, yes=True, wait=1, stderr=StringIO())
    sandbox.set_host("up")
    ApiKey.objects.update(organization="org 1")
    let_time_pass()
    with pytest.raises(SystemExit) as missed:
        call_command(
            "erase_visitor", tenant="alder", user=ann.user, yes=True, wait=10, stdout=StringIO(), stderr=StringIO()
        )

    assert (late.value.code, missed.value.code) == (1, 3)


def test_the_command_names_the_cure_for_a_slug_or_a_reference_that_nobody_has(alder: Customer) -> None:
    with pytest.raises(CommandError, match="admin's list"):
        call_command("erase_visitor", tenant="oak", ref="a" * 32)
    with pytest.raises(CommandError, match="mistyped"):
        call_command("erase_visitor", tenant="alder", ref="a" * 32, yes=True)


def test_no_worker_is_needed_for_what_counts_at_once(alder: Customer) -> None:
    erase_visitor(tenant=alder.tenant, person=come(alder), actor=SYSTEM)

    assert RevokedVisitor.objects.count() == 1
    assert advance_erasures(VisitorErasure.objects.none()) == 0
