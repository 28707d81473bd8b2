"""Conversations go when their time is over, with their files, each slice with its event that says how many and never what."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from chat_server import retention
from chat_server.models import Attachment, Thread
from chat_server.retention import prune_conversations
from chat_server.tasks import prune
from sessions_api.models import RevokedVisitor, VisitorLink
from tenants.models import Tenant
from tests.chat_server.conversations.talk import Talker, stored
from tests.tenants.cast import give_assistant, register

pytestmark = pytest.mark.django_db(transaction=True)


def left() -> set[str]:
    return set(Thread.objects.values_list("pk", flat=True))


def events() -> list[dict[str, Any]]:
    found = AuditEvent.objects.filter(action=Action.CONVERSATIONS_PRUNED).order_by("seq")
    return [event.changes["deleted"] for event in found]


def test_those_without_a_word_for_the_sites_days_go_and_others_stay(
    ann: Talker, settings: Any, files_dir: Path
) -> None:
    settings.CONVERSATION_RETENTION_DAYS = 30
    old, kept = ann.says("a word", "another", days_ago=32), ann.says("a word", days_ago=29)
    ann.sends(thread_id=old)

    prune()
    prune()

    assert left() == {kept}
    assert stored(files_dir) == []
    assert events() == [{"threads": 1, "items": 2, "files": 1}]
    event = AuditEvent.objects.get(action=Action.CONVERSATIONS_PRUNED)
    assert (event.tenant_id, event.subject) == (ann.tenant.pk, "Acorn")


def test_a_tenant_may_keep_them_shorter_or_longer_and_a_site_for_ever(ann: Talker, settings: Any) -> None:
    settings.CONVERSATION_RETENTION_DAYS = 0
    other = register("Birch")
    ben = Talker.at(other, give_assistant(other))
    Tenant.objects.filter(pk=other.pk).update(conversation_retention_days=7)
    kept = {ann.says("hello", days_ago=4000), ben.says("hello", days_ago=6)}
    ben.says("hello", days_ago=9)

    prune_conversations(seconds=10)

    assert left() == kept


def test_many_go_in_slices_each_with_its_event(ann: Talker, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CONVERSATION_RETENTION_DAYS = 30
    monkeypatch.setattr(retention, "SLICE", 2)
    for _ in range(5):
        ann.says("hello", days_ago=40)

    pruned = prune_conversations(seconds=10)

    assert dict(pruned) == {"threads": 5, "items": 5}
    assert [each["threads"] for each in events()] == [2, 2, 1]


def test_without_an_event_nothing_goes(ann: Talker, settings: Any) -> None:
    settings.CONVERSATION_RETENTION_DAYS = 30
    ann.sends(thread_id=ann.says("hello", days_ago=40))

    def refuse_events(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("INSERT") and AuditEvent._meta.db_table in sql:
            raise OperationalError("no room for events")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse_events), pytest.raises(OperationalError, match="no room for events"):
        prune_conversations(seconds=10)

    assert len(left()) == 1
    assert Attachment.objects.count() == 1


def test_files_that_no_message_took_go_after_a_day(ann: Talker, files_dir: Path) -> None:
    announced, unused, young = ann.announces(), ann.sends(), ann.sends()
    taken = ann.sends(thread_id=ann.says("hello"))
    long_ago = timezone.now() - timedelta(days=1, minutes=1)
    Attachment.objects.filter(pk__in=[announced, unused, taken]).update(created_at=long_ago)

    prune_conversations(seconds=10)

    assert set(Attachment.objects.values_list("pk", flat=True)) == {young, taken}
    assert {path.name for path in stored(files_dir)} == {young, taken}


def test_what_an_erased_visitor_had_on_its_way_goes_and_who_signed_out_keeps_all(ann: Talker) -> None:
    ben, cat = ann.another(), ann.another()
    ann.says("late", days_ago=1)
    kept = {ben.says("mine", days_ago=1), cat.says("mine", days_ago=1), ann.says("too young to tell")}
    for talker in (ann, ben):
        at = timezone.now() - timedelta(days=1)
        RevokedVisitor.objects.create(ref=talker.owner.visitor_ref, tenant=ann.tenant, revoked_at=at)
    VisitorLink.objects.create(
        user="v1.x.ben", tenant=ann.tenant, ref=ben.owner.visitor_ref, first_seen_at=timezone.now()
    )

    prune_conversations(seconds=10)

    assert left() == kept
