"""Marks live sessions for cancelling when what they rest on is withdrawn: tenant, website, key, assistant, pair, visitor.

The rows are marked in the transaction that withdraws the access; cancelling (cancel.py) goes by the rows, so no lost message
loses one. What is withdrawn in any other way, or while a session is being granted, is found by the tick.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.record import Actor, record
from gateway.visitor_tokens import LIFETIME
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest, VisitorErasure, VisitorLink
from sessions_api.models.ledger import IDENTITY_OK
from tenants.audit_subjects import subject_of
from tenants.domains import rules_of
from tenants.models import Assistant, AssistantKey, Tenant, TenantState
from tenants.models.assistant import Backend
from tenants.models.epoch import SEEN_WITHIN

BATCH: Final = 1000
# What was to be cancelled stays visible so long after its expiry, for whoever watches how far that has come.
WAVE_KEPT_FOR: Final = timedelta(hours=1)


class CancelReason(models.TextChoices):
    """Why sessions are cancelled; those on withdrawn access come with the signal (tenants/signals.py)."""

    TENANT_SUSPENDED = "tenant_suspended", "tenant suspended"
    TENANT_DELETED = "tenant_deleted", "tenant being deleted"
    KEY_RETIRED = "key_retired", "key retired"
    ASSISTANT_DELETED = "assistant_deleted", "assistant deleted"
    PAIR_REMOVED = "pair_removed", "key taken from the assistant"
    BACKEND_SWITCHED = "backend_switched", "assistant switched to another backend"
    ORIGIN_WITHDRAWN = "origin_withdrawn", "website no longer allowed"
    IDENTITY_RETIRED = "identity_retired", "signing key retired"
    SIGNED_OUT = "signed_out", "visitor signed out"
    VISITOR_ERASED = "visitor_erased", "visitor erased"
    REVOKED = "revoked", "revoked by an operator"
    OVERLOOKED = "overlooked", "withdrawn while being granted"


@dataclass(frozen=True, slots=True)
class Which:
    """Live sessions of one tenant; every field that is given narrows them down."""

    tenant_id: uuid.UUID
    key_id: uuid.UUID | None = None
    assistant_id: uuid.UUID | None = None
    visitor_ref: str = ""
    origins: Collection[str] | None = None
    # Only visitors whom the tenant vouched for.
    is_known: bool = False

    def of(self, sessions: QuerySet[LiveSession]) -> QuerySet[LiveSession]:
        sessions = sessions.filter(tenant_id=self.tenant_id)
        if self.key_id is not None:
            sessions = sessions.filter(key_id=self.key_id)
        if self.assistant_id is not None:
            sessions = sessions.filter(assistant_id=self.assistant_id)
        if self.visitor_ref:
            sessions = sessions.filter(visitor_ref=self.visitor_ref)
        if self.origins is not None:
            sessions = sessions.filter(origin__in=self.origins)
        if self.is_known:
            known = VisitorLink.objects.filter(tenant=self.tenant_id).exclude(pseudonym="")
            sessions = sessions.filter(visitor_ref__in=known.values("ref"))
        return sessions


def uncancelled() -> QuerySet[LiveSession]:
    return LiveSession.objects.filter(cancelled_at=None, expires_at__gt=timezone.now())


def request_cancelling(which: Which, *, reason: str) -> int:
    """Marks these sessions; call it in the transaction of the change. Gives their number."""
    return _mark(which.of(uncancelled()), reason)


def request_disallowed(tenant_id: uuid.UUID | None = None) -> int:
    """Marks the sessions, of one tenant or of all, whose website is not on the tenant's list (any more).

    The platform's own preview stands on no list.
    """
    live = uncancelled().filter(cancel_requested_at=None).exclude(origin__in=["", settings.PREVIEW_ORIGIN])
    if tenant_id is not None:
        live = live.filter(tenant_id=tenant_id)
    pages: defaultdict[uuid.UUID, set[str]] = defaultdict(set)
    for tenant, origin in live.order_by().values_list("tenant_id", "origin").distinct():
        pages[tenant].add(origin)
    marked, now = 0, time.time()
    for tenant, rules in rules_of(pages).items():
        if refused := [origin for origin in pages[tenant] if not rules.decide(origin, now=now)]:
            marked += request_cancelling(Which(tenant, origins=refused), reason=CancelReason.ORIGIN_WITHDRAWN)
    return marked


def request_overlooked() -> int:
    """Marks sessions whose access was withdrawn while they were being granted, so that no signal could know of them."""
    pairs = AssistantKey.objects.filter(assistant=OuterRef("assistant_id"), key=OuterRef("key_id"))
    revoked = RevokedVisitor.objects.filter(ref=OuterRef("visitor_ref"), tenant=OuterRef("tenant_id"))
    # Two processes' clocks may differ a little: a session that began with a token just before it was revoked counts, too.
    # Whoever was vouched for anew signed in again right after signing out, and no token of before counts for that.
    vouched_for = SessionRequest.objects.filter(
        visitor_ref=OuterRef("visitor_ref"),
        at=OuterRef("granted_at"),
        tenant=OuterRef("tenant_id"),
        identity=IDENTITY_OK,
    )
    withdrawn = (
        ~Q(tenant__state=TenantState.ACTIVE)
        | Q(key__retired_at__isnull=False)
        | (Q(assistant_id__isnull=False) & ~Exists(pairs))
        | Exists(Assistant.objects.filter(pk=OuterRef("assistant_id")).exclude(backend=Backend.HOSTED_WORKFLOW))
        | Exists(revoked.filter(revoked_at__gte=OuterRef("granted_at")))
        | (Exists(revoked.filter(revoked_at__gte=OuterRef("granted_at") - SEEN_WITHIN)) & ~Exists(vouched_for))
    )
    late = list(uncancelled().filter(withdrawn, cancel_requested_at=None).values_list("pk", flat=True)[:BATCH])
    marked = _mark(LiveSession.objects.filter(pk__in=late), CancelReason.OVERLOOKED) if late else 0
    return marked + request_disallowed()


@transaction.atomic
def _mark(sessions: QuerySet[LiveSession], reason: str) -> int:
    unmarked = sessions.filter(cancel_requested_at=None)
    # In one order, so that two that mark the same rows don't wait for each other.
    list(unmarked.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    return unmarked.update(cancel_requested_at=timezone.now(), cancel_reason=reason)


def revoke_sessions(*, which: Which, actor: Actor) -> int:
    """Marks live sessions of a tenant for cancelling, with an audit event; the tenant itself goes on. Gives their number."""
    with transaction.atomic():
        # A suspension at the same moment marks the same rows.
        tenant = Tenant.objects.lock(which.tenant_id)
        count = request_cancelling(which, reason=CancelReason.REVOKED)
        narrowed = {
            "key_id": str(which.key_id) if which.key_id else "",
            "assistant_id": str(which.assistant_id) if which.assistant_id else "",
            "visitor_ref": which.visitor_ref,
            "origins": sorted(which.origins or ()),
        }
        changes = {"sessions": count, **{name: value for name, value in narrowed.items() if value}}
        record(Action.SESSIONS_REVOKED, actor=actor, subject=subject_of(tenant), changes=changes)
    return count


def revoke_visitor(*, tenant_id: uuid.UUID, ref: str, reason: CancelReason) -> int:
    """From now on no token counts that this visitor has, and its live sessions are cancelled. In one transaction; repeatable."""
    with transaction.atomic():
        RevokedVisitor.objects.bulk_create(
            [RevokedVisitor(ref=ref, tenant_id=tenant_id, revoked_at=timezone.now())],
            update_conflicts=True,
            unique_fields=["ref"],
            update_fields=["revoked_at"],
        )
        return request_cancelling(Which(tenant_id, visitor_ref=ref), reason=reason)


def purge_expired() -> int:
    """Forgets sessions that expired; those that were to be cancelled an hour later, so that the outcome can be seen.

    A tenant that is being deleted keeps its own to the end, and so does a visitor who is being erased: they are counted then.
    """
    now = timezone.now()
    expired = Q(expires_at__lt=now, cancel_requested_at=None) | Q(expires_at__lt=now - WAVE_KEPT_FOR)
    gone = LiveSession.objects.filter(expired).exclude(tenant__state=TenantState.DELETING)
    gone = gone.exclude(visitor_ref__in=VisitorErasure.objects.filter(finished_at=None).values("ref"))
    ids = list(gone.values_list("pk", flat=True)[:BATCH])
    return LiveSession.objects.filter(pk__in=ids).delete()[0] if ids else 0


def forget_revoked() -> int:
    """Removes revocations that no token can be old enough for; gives their number."""
    past = timezone.now() - timedelta(seconds=LIFETIME, days=1)
    refs = list(RevokedVisitor.objects.filter(revoked_at__lt=past).values_list("pk", flat=True)[:BATCH])
    return RevokedVisitor.objects.filter(pk__in=refs).delete()[0] if refs else 0
