"""Erasing a visitor and deleting a tenant take the conversations with them that the platform served, and certify how much."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.dispatch import Signal
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from chat_server import conversations
from chat_server.models import Attachment, ChatRun, Feedback, Thread, ThreadItem
from sandbox.testing import Sandbox
from sessions_api import signals
from sessions_api.certificate import certificate_key, issue_certificate, verify_certificate
from sessions_api.erase_keys import claim_due
from sessions_api.erase_visitor import Person, advance_erasures, erase_visitor
from sessions_api.models import RevokedVisitor, TenantDeletion, VisitorErasure, VisitorLink
from sessions_api.served_here import delete_served_here
from sessions_api.tasks import delete_tenants, tick
from tenants.models import ApiKey, Tenant
from tenants.states import start_deletion
from tests.chat_server.conversations.talk import Talker, stored
from tests.key_health.cast import Customer
from tests.proof.plugin import Proof
from tests.sessions_api.erasure_cast import certified, come, let_time_pass, work

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
    before = Talker(replace(talker_of(alder, ann).owner, issued_at=0), alder.tenant, alder.assistant)
    with pytest.raises(conversations.NoSuchRow):
        before.says("one more")


def test_many_conversations_go_in_steps_and_a_killed_worker_loses_no_count(
    sandbox: Sandbox, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST", 2)
    ann = come(alder)
    for _ in range(5):
        talker_of(alder, ann).says("hello")
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    # Killed in the second step, when rows are deleted and nothing is committed.
    with listening(signals.visitor_erasing, KillAt(2)), pytest.raises(KeyboardInterrupt):
        advance_erasures()
    erasure.refresh_from_db()
    after_the_kill = (Thread.objects.count(), erasure.served_here)
    let_time_pass()
    work()

    assert after_the_kill == (3, {"threads": 2, "items": 2})
    assert certified(erasure)["served_here"] == {"threads": 5, "items": 5}


class KillAt:
    """Listens after the others have deleted, and ends the worker at that step."""

    def __init__(self, step: int) -> None:
        self._left = step

    def __call__(self, **_: Any) -> dict[str, int]:
        self._left -= 1
        if not self._left:
            raise KeyboardInterrupt
        return {}


@contextmanager
def listening(signal: Signal, listener: Any) -> Iterator[None]:
    signal.connect(listener, weak=False)
    try:
        yield
    finally:
        signal.disconnect(listener)


def test_when_the_time_of_a_slice_is_over_the_claim_is_given_back(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    erasure = claim_due(VisitorErasure.objects.all())
    assert erasure is not None
    steps = iter([Counter(threads=2), Counter(threads=1), Counter()])

    finished = delete_served_here(erasure, lambda: next(steps), until=0)

    row = VisitorErasure.objects.get()
    assert (finished, row.claim, row.served_here) == (False, None, {"threads": 2})
    assert claim_due(VisitorErasure.objects.all()) is not None


def test_a_worker_whose_claim_was_taken_over_deletes_nothing(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    erasure = claim_due(VisitorErasure.objects.all())
    assert erasure is not None
    VisitorErasure.objects.update(claim=uuid.uuid4())

    def step() -> Counter[str]:
        raise AssertionError("must not be asked")

    assert delete_served_here(erasure, step, until=0) is False


def test_a_conversation_that_begins_while_the_visitor_is_erased_goes_too(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    late = [talker_of(alder, ann)]
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    RevokedVisitor.objects.all().delete()

    def message_on_its_way(**_: Any) -> dict[str, int]:
        # The first step found nothing; written before the worker revokes once more.
        if late:
            late.pop().says("late")
        return {}

    with listening(signals.visitor_erasing, message_on_its_way):
        work()

    assert not late
    assert not Thread.objects.exists()
    assert certified(erasure)["served_here"] == {"threads": 1, "items": 1}


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
    left = []

    def look(**_: Any) -> dict[str, int]:
        left.append((Thread.objects.count(), ApiKey.objects.exclude(token="").count()))
        return {}

    start_deletion(tenant=alder.tenant, actor=SYSTEM)
    with listening(signals.tenant_deleting, look):
        delete_tenants()

    assert left == [(3, 1), (1, 1), (0, 1), (0, 1)]
    assert not Tenant.objects.exists()
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["served_here"] == {"threads": 5, "items": 5}


def test_a_deletion_of_a_tenant_goes_on_where_a_killed_worker_left_it(
    sandbox: Sandbox, alder: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "MOST", 2)
    for _ in range(5):
        talker_of(alder, come(alder)).says("hello")
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    with listening(signals.tenant_deleting, KillAt(2)), pytest.raises(KeyboardInterrupt):
        delete_tenants()
    left = Thread.objects.count()
    TenantDeletion.objects.update(due_at=timezone.now(), claimed_until=None)
    delete_tenants()

    assert left == 3
    assert not Tenant.objects.exists()
    assert AuditEvent.objects.get(action=Action.TENANT_DELETED).changes["served_here"] == {"threads": 5, "items": 5}
