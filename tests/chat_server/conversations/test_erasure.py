"""Erasing a visitor and deleting a tenant take the conversations with them that the platform served, and certify how much."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from chat_server import conversations
from chat_server.models import Attachment, ChatRun, Feedback, Thread, ThreadItem
from sandbox.testing import Sandbox
from sessions_api import signals
from sessions_api.certificate import certificate_key, issue_certificate, verify_certificate
from sessions_api.delete_tenant import advance_deletions
from sessions_api.erase_visitor import Person, advance_erasures, erase_visitor
from sessions_api.models import RevokedVisitor, TenantDeletion, VisitorErasure, VisitorLink
from sessions_api.tasks import delete_tenants, tick
from tenants.models import ApiKey, Tenant
from tenants.states import start_deletion
from tests.chat_server.conversations.talk import Talker, stored
from tests.key_health.cast import Customer
from tests.proof.plugin import Proof
from tests.sessions_api.erasure_cast import certified, come, work

pytestmark = pytest.mark.django_db(transaction=True)


def talker_of(customer: Customer, person: Person) -> Talker:
    return Talker.at(customer.tenant, customer.assistant, ref=person.ref)


def talk(talker: Talker, *, conversations_each: int = 2) -> None:
    for _ in range(conversations_each):
        thread = talker.says("a question", "an answer")
        talker.sends(thread_id=thread)
        [question, *_] = ThreadItem.objects.filter(thread=thread)
        conversations.note_feedback(talker.owner, thread, [question.item_id], "negative")
    talker.announces()


def test_everything_of_the_visitor_goes_and_the_certificate_says_how_much(
    sandbox: Sandbox, alder: Customer, birch: Customer, files_dir: Path, proof: Proof
) -> None:
    ann, ben, cat = come(alder), come(alder), come(birch)
    for customer, person in ((alder, ann), (alder, ben), (birch, cat)):
        talk(talker_of(customer, person))
    ChatRun.objects.create(at=timezone.now(), tenant=alder.tenant, visitor_ref=ann.ref, outcome="answered")

    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    work()

    assert set(Thread.objects.values_list("visitor_ref", flat=True)) == {ben.ref, cat.ref}
    assert set(Attachment.objects.values_list("visitor_ref", flat=True)) == {ben.ref, cat.ref}
    assert (Thread.objects.count(), Feedback.objects.count(), len(stored(files_dir))) == (4, 4, 4)
    certificate = certified(erasure)
    assert certificate["served_here"] == {"threads": 2, "items": 4, "files": 3, "feedback": 2}
    assert certificate["complete"] is True
    event = AuditEvent.objects.get(action=Action.VISITOR_ERASED)
    assert event.changes["served_here"] == certificate["served_here"]
    assert ChatRun.objects.get().visitor_ref == ann.ref
    assert not VisitorLink.objects.filter(user=ann.user).exists()
    proof.record(threads=2, files=3)


def test_of_who_only_chatted_here_no_token_counts_any_more(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    talk(talker_of(alder, ann))

    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    assert RevokedVisitor.objects.get().ref == ann.ref
    with pytest.raises(conversations.NoSuchRow):
        old = talker_of(alder, ann)
        Talker(conversations.Owner(*_fields(old), issued_at=0), old.tenant, old.assistant).says("one more")


def _fields(talker: Talker) -> tuple[Any, Any, str]:
    return talker.owner.tenant_id, talker.owner.assistant_id, talker.owner.visitor_ref


def test_many_conversations_go_in_steps_and_a_killed_worker_loses_no_count(
    sandbox: Sandbox, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST", 2)
    ann = come(alder)
    for _ in range(5):
        talker_of(alder, ann).says("hello")
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    monkeypatch.setattr("sessions_api.erase_visitor.SLICE_SECONDS", 0.001)
    killed = _kill_at_second_step(monkeypatch)

    with pytest.raises(KeyboardInterrupt):
        advance_erasures()
    erasure.refresh_from_db()
    after_the_kill = (Thread.objects.count(), erasure.served_here)
    killed["is_on"] = False
    work()

    assert after_the_kill == (5, {}) or after_the_kill == (3, {"threads": 2, "items": 2})
    assert certified(erasure)["served_here"] == {"threads": 5, "items": 5}


def _kill_at_second_step(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """The worker dies after it has deleted, before its transaction ends."""
    from sessions_api import served_here

    state = {"is_on": True, "steps": 0}
    note = served_here.note_deleted

    def dying(*arguments: Any) -> None:
        state["steps"] += 1
        if state["is_on"] and state["steps"] == 2:
            raise KeyboardInterrupt
        note(*arguments)

    monkeypatch.setattr(served_here, "note_deleted", dying)
    monkeypatch.setattr("sessions_api.erase_visitor.SLICE_SECONDS", 10.0)
    return state  # type: ignore[return-value]


def test_a_conversation_that_begins_while_the_visitor_is_erased_goes_too(
    sandbox: Sandbox, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = come(alder)
    late = partial(talker_of(alder, ann).says, "late")
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    # A request that was let in just before the revocation writes while the worker is at OpenAI.
    VisitorErasure.objects.update(due_at=timezone.now())
    RevokedVisitor.objects.all().delete()
    from sessions_api import erase_visitor as module

    upstream = module.erase_with_next_key

    def and_meanwhile(*arguments: Any, **keywords: Any) -> bool:
        if not Thread.objects.exists():
            late()
        return upstream(*arguments, **keywords)

    monkeypatch.setattr(module, "erase_with_next_key", and_meanwhile)
    advance_erasures()
    monkeypatch.setattr(module, "erase_with_next_key", upstream)
    work()

    assert not Thread.objects.exists()
    assert certified(erasure)["served_here"]["threads"] >= 1


def test_a_tenant_without_any_key_and_its_visitors_are_erased_all_the_same(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    talk(talker_of(alder, ann))
    ApiKey.objects.all().delete()

    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    work()

    certificate = certified(erasure)
    assert (certificate["complete"], certificate["keys"], certificate["served_here"]["threads"]) == (True, [], 2)


def test_a_certificate_of_an_earlier_release_still_verifies() -> None:
    earlier = json.loads(issue_certificate({"id": "1", "threads_deleted": 3}))

    assert "served_here" not in verify_certificate(json.dumps(earlier), public_key=certificate_key())


def test_a_tenant_goes_with_its_conversations_and_files_and_others_stay(
    sandbox: Sandbox, alder: Customer, birch: Customer, files_dir: Path
) -> None:
    for customer in (alder, birch):
        talk(talker_of(customer, come(customer)), conversations_each=3)

    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    tick()
    delete_tenants()

    assert set(Tenant.objects.values_list("name", flat=True)) == {"Birch"}
    assert (Thread.objects.count(), len(stored(files_dir))) == (3, 3)
    changes = AuditEvent.objects.get(action=Action.TENANT_DELETED).changes
    assert changes["served_here"] == {"threads": 3, "items": 6, "files": 4, "feedback": 3}


def test_a_tenants_many_conversations_go_in_steps_before_its_secrets(
    sandbox: Sandbox, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST", 2)
    for _ in range(5):
        talker_of(alder, come(alder)).says("hello")
    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    monkeypatch.setattr("sessions_api.delete_tenant.SLICE_SECONDS", 0.0)

    seen = []
    for _ in range(20):
        TenantDeletion.objects.update(due_at=timezone.now(), claimed_until=None)
        monkeypatch.setattr("sessions_api.delete_tenant.SLICE_SECONDS", 0.2)
        advance_deletions()
        seen.append((Thread.objects.count(), ApiKey.objects.exclude(token="").exists()))
        if not Tenant.objects.exists():
            break

    assert not Tenant.objects.exists()
    assert all(has_keys or not threads for threads, has_keys in seen)
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["served_here"] == {"threads": 5, "items": 5}
