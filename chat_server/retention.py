"""Deletes conversations whose time is over, in slices, each with its audit event: whose, older than what, and how many.

Unused files go after a day, and what somebody who was erased meanwhile had still on the way; both without an event of their own.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from audit.actions import Action
from audit.record import SYSTEM, Subject, record
from chat_server.delete import Deleted, delete_all, delete_attachments, delete_threads
from chat_server.files import UNUSED_FOR
from chat_server.models import Attachment, Thread
from sessions_api.models import RevokedVisitor, VisitorLink
from tenants.models import Tenant

SLICE: Final = 100
# A request that was let in before its visitor was erased has ended by then.
STRAGGLERS_END: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Overdue:
    """Conversations of one tenant without a word since `before` are to go."""

    tenant_id: uuid.UUID
    name: str
    before: datetime


def prune_conversations(*, seconds: float, now: datetime | None = None) -> Deleted:
    """Deletes what is overdue, beginning no slice after `seconds`; gives how much that was."""
    ends = time.monotonic() + seconds
    now = now or datetime.now(UTC)
    pruned: Deleted = Counter()
    for overdue in _overdue(now):
        while time.monotonic() < ends and (deleted := _prune_slice(overdue)):
            pruned += deleted
    unused = Attachment.objects.filter(thread=None, created_at__lt=now - UNUSED_FOR)
    while time.monotonic() < ends and (deleted := delete_attachments(unused, most=SLICE, passing_over=True)):
        pruned += deleted
    while time.monotonic() < ends and (deleted := _delete_stragglers(now)):
        pruned += deleted
    return pruned


def _overdue(now: datetime) -> Iterator[Overdue]:
    """Days are UTC's and whole, so that a tenant's conversations become overdue once a day and not with every look."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    site_days: int = settings.CONVERSATION_RETENTION_DAYS
    for tenant_id, name, own_days in list(Tenant.objects.values_list("pk", "name", "conversation_retention_days")):
        if days := own_days or site_days:
            yield Overdue(tenant_id, name, midnight - timedelta(days=days))


def _prune_slice(overdue: Overdue) -> Deleted:
    old = Thread.objects.filter(tenant_id=overdue.tenant_id, updated_at__lt=overdue.before)
    # Most looks find nothing, and on SQLite the transaction takes the one write lock.
    if not old.exists():
        return Counter()
    with transaction.atomic():
        deleted = delete_threads(old, most=SLICE, passing_over=True)
        if deleted:
            subject = Subject(
                type="conversations",
                id=str(overdue.tenant_id),
                label=overdue.name,
                tenant_id=overdue.tenant_id,
                tenant_name=overdue.name,
            )
            changes = {"before": overdue.before, "deleted": dict(deleted)}
            record(Action.CONVERSATIONS_PRUNED, actor=SYSTEM, subject=subject, changes=changes)
    return deleted


def _delete_stragglers(now: datetime) -> Deleted:
    """Of visitors who were erased: revoked, and nothing leads to them any more. Who only signed out has a link still."""
    of_this: dict[str, Any] = {"ref": OuterRef("visitor_ref"), "tenant_id": OuterRef("tenant_id")}
    erased = Q(Exists(RevokedVisitor.objects.filter(**of_this, revoked_at__lt=now - STRAGGLERS_END)))
    unknown = ~Q(Exists(VisitorLink.objects.filter(**of_this)))
    threads = Thread.objects.filter(erased, unknown, created_at__lt=now - STRAGGLERS_END)
    attachments = Attachment.objects.filter(erased, unknown, created_at__lt=now - STRAGGLERS_END)
    return delete_all(threads, attachments, most=SLICE)
