"""Erases one visitor: tokens revoked, live sessions cancelled, threads deleted at OpenAI, rows deleted, a certificate signed.

    asked for     in one transaction: no token counts any more, live sessions are marked, the row that the worker goes by
    waiting       until those sessions are cancelled or have expired, since each could still write
    here          conversations that the platform itself served, a bounded number at once (signals.py)
    erasing       with each of the tenant's keys (other projects included), until a whole round finds nothing any more
    finished      what leads from the visitor to the ledger is deleted; the ledger's rows stay and lead to nobody

Each step may be repeated and resumed. A visitor who comes back later is somebody new, and can be erased again.
"""

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, Actor, Subject, record
from encryption.vault import SecretError
from gateway.visitor_tokens import PSEUDONYM_BYTES, Visitor, upstream_user
from sessions_api.certificate import hash_of, issue_certificate
from sessions_api.erase import Whose
from sessions_api.erase_keys import WAIT, claim_due, erase_with_next_key, mine, put_off
from sessions_api.models import LiveSession, VisitorErasure, VisitorLink
from sessions_api.revoke import CancelReason, Which, request_cancelling, revoke_visitor, uncancelled
from sessions_api.served_here import delete_served_here, note_deleted
from sessions_api.signals import delete_of_visitor
from tenants.models import ConfigEpoch, Tenant, TenantState
from tenants.user_scope import open_user_scope

SLICE_SECONDS: Final = 10.0


class ErasureRefused(Exception):
    """Nobody can be erased by what was given; the message says why and what would do."""


@dataclass(frozen=True, slots=True)
class Person:
    """A visitor under both its names: `user` at OpenAI, `ref` in the ledger (blank where it never opened a chat here)."""

    user: str
    ref: str = ""


def find_by_ref(tenant: Tenant, ref: str) -> Person:
    """By the reference that stands in the ledger. Raises ErasureRefused."""
    link = VisitorLink.objects.filter(tenant=tenant, ref=ref.strip().lower()).first()
    if link is None:
        raise ErasureRefused(
            f"Nothing leads from this reference to a visitor of {tenant}: it was erased already, or mistyped. "
            "Somebody whom the tenant knows by name can be erased by that name."
        )
    return Person(link.user, link.ref)


def find_by_subject(tenant: Tenant, subject: str) -> Person:
    """By the name that the tenant itself signs for this visitor (`sub`). Raises ErasureRefused."""
    try:
        visitor = Visitor.known(subject, pseudonym=bytes(PSEUDONYM_BYTES))
    except ValueError as error:
        raise ErasureRefused(str(error)) from None
    try:
        return find_by_user(tenant, upstream_user(open_user_scope(tenant), tenant.public_id, visitor))
    except SecretError:
        raise ErasureRefused(
            f"The secret of {tenant} can't be opened, so nobody's name at OpenAI can be told: check MASTER_KEYS."
        ) from None


def find_by_user(tenant: Tenant, user: str) -> Person:
    """By the name at OpenAI, which is derived and can't be guessed. Raises ErasureRefused."""
    user = user.strip()
    if not user.startswith(f"v1.{tenant.public_id}."):
        raise ErasureRefused(f"A visitor of {tenant} is called “v1.{tenant.public_id}.…” at OpenAI.")
    link = VisitorLink.objects.filter(tenant=tenant, user=user).first()
    return Person(user, link.ref if link else "")


@transaction.atomic
def erase_visitor(*, tenant: Tenant, person: Person, actor: Actor) -> VisitorErasure:
    """Revokes the visitor's tokens, has its sessions cancelled, and leaves the rest to the worker.

    An erasure of this visitor that is under way is given back. Raises ErasureRefused.
    """
    # Keeps a deletion of the tenant from starting in between; nothing that sessions depend on changes.
    ConfigEpoch.lock()
    if Tenant.objects.filter(pk=tenant.pk, state=TenantState.DELETING).exists():
        raise ErasureRefused(f"{tenant} is being deleted, which erases all of its visitors.")
    if person.ref:
        revoke_visitor(tenant_id=tenant.pk, ref=person.ref, reason=CancelReason.VISITOR_ERASED)
    now = timezone.now()
    erasure, is_new = VisitorErasure.objects.get_or_create(
        tenant=tenant,
        user=person.user,
        finished_at=None,
        defaults={"ref": person.ref, "requested_by": actor.name, "started_at": now, "due_at": now},
    )
    if is_new:
        record(Action.VISITOR_ERASURE_REQUESTED, actor=actor, subject=_subject(erasure, tenant.name))
    return erasure


def advance_erasures(only: QuerySet[VisitorErasure] | None = None) -> int:
    """Takes up what is due, for one slice of time; gives the number of visitors who are erased."""
    ends = time.monotonic() + SLICE_SECONDS
    erased = 0
    rows = VisitorErasure.objects.all() if only is None else only
    while time.monotonic() < ends:
        erasure = claim_due(rows.filter(finished_at=None))
        if erasure is None:
            break
        erased += _advance(erasure, seconds=ends - time.monotonic())
    return erased


def _advance(erasure: VisitorErasure, *, seconds: float) -> bool:
    """One step; True when the visitor is erased."""
    ends = time.monotonic() + seconds
    tenant = Tenant.objects.filter(pk=erasure.tenant_id).first()
    _follow_link(erasure)
    sessions = Which(erasure.tenant_id, visitor_ref=erasure.ref)
    if erasure.ref:
        # One that was being granted while the erasure was asked for.
        request_cancelling(sessions, reason=CancelReason.VISITOR_ERASED)
        if sessions.of(uncancelled()).exists():
            put_off(erasure, WAIT)
            return False
        if not delete_served_here(erasure, partial(delete_of_visitor, erasure.tenant_id, erasure.ref), until=ends):
            return False
    # Of a tenant that is gone everything went with it.
    if tenant is not None:
        if not erase_with_next_key(erasure, tenant, whose=Whose(user=erasure.user), seconds=seconds):
            return False
        this_round = erasure.by_key[len(erasure.by_key) - len(erasure.keys_done) :]
        if any(entry["threads_deleted"] for entry in this_round):
            erasure.keys_done = []
            put_off(erasure, timedelta(0))
            return False
    return _finish(erasure, tenant)


def _follow_link(erasure: VisitorErasure) -> None:
    """Somebody of whom nothing was known here may have opened a chat since."""
    link = VisitorLink.objects.filter(tenant_id=erasure.tenant_id, user=erasure.user).first()
    if link is not None and link.ref != erasure.ref:
        erasure.ref = link.ref
        mine(erasure).update(ref=link.ref)
        revoke_visitor(tenant_id=erasure.tenant_id, ref=link.ref, reason=CancelReason.VISITOR_ERASED)


@transaction.atomic
def _finish(erasure: VisitorErasure, tenant: Tenant | None) -> bool:
    if not mine(erasure).select_for_update().exists():
        return False
    sessions = LiveSession.objects.filter(tenant=erasure.tenant_id, visitor_ref=erasure.ref)
    if erasure.ref and tenant is not None:
        # Once more: what began before this moment counts no more, whenever it ends.
        revoke_visitor(tenant_id=tenant.pk, ref=erasure.ref, reason=CancelReason.VISITOR_ERASED)
        if sessions.filter(pk__in=uncancelled()).exists():
            put_off(erasure, WAIT)
            return False
    # So is a message that was on its way.
    if erasure.ref and (late := delete_of_visitor(erasure.tenant_id, erasure.ref)):
        note_deleted(erasure, late)
        put_off(erasure, timedelta(0))
        return False
    ended = sessions.aggregate(cancelled=Count("pk", filter=Q(cancelled_at__isnull=False)), all=Count("pk"))
    sessions.delete()
    links, _ = VisitorLink.objects.filter(tenant=erasure.tenant_id, user=erasure.user).delete()
    now = timezone.now()
    certificate = issue_certificate(_facts(erasure, tenant, ended=ended, links=links, finished_at=now.isoformat()))
    mine(erasure).update(user="", ref="", finished_at=now, certificate=certificate, claim=None, claimed_until=None)
    record(
        Action.VISITOR_ERASED,
        actor=SYSTEM,
        subject=_subject(erasure, tenant.name if tenant else ""),
        changes={
            "threads_deleted": erasure.threads_deleted,
            "served_here": erasure.served_here,
            "keys_unreachable": not_reached(erasure),
            "certificate_sha256": hash_of(certificate),
        },
    )
    return True


def _facts(
    erasure: VisitorErasure, tenant: Tenant | None, *, ended: dict[str, int], links: int, finished_at: str
) -> dict[str, Any]:
    keys = by_key(erasure)
    return {
        "id": str(erasure.pk),
        "tenant": {"public_id": tenant.public_id if tenant else "", "name": tenant.name if tenant else ""},
        "visitor_sha256": hash_of(erasure.user),
        "requested_at": erasure.started_at.isoformat(),
        "requested_by": erasure.requested_by,
        "finished_at": finished_at,
        "complete": not any(key["not_reached"] for key in keys),
        "sessions": {"cancelled": ended["cancelled"], "expired": ended["all"] - ended["cancelled"]},
        "threads_deleted": erasure.threads_deleted,
        "served_here": erasure.served_here,
        "keys": keys,
        "rows_deleted": {"visitor_links": links, "live_sessions": ended["all"]},
    }


def by_key(erasure: VisitorErasure) -> list[dict[str, Any]]:
    """One entry a key, whatever the number of rounds: threads of all together, reached or not by the last."""
    rounds: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in erasure.by_key:
        rounds[entry["fingerprint"]].append(entry)
    return [
        {**entries[-1], "threads_deleted": sum(entry["threads_deleted"] for entry in entries)}
        for entries in rounds.values()
    ]


def not_reached(erasure: VisitorErasure) -> list[str]:
    """Keys that could not be used, each with the reason."""
    return [f"{key['key']}: {key['not_reached']}" for key in by_key(erasure) if key["not_reached"]]


def _subject(erasure: VisitorErasure, tenant_name: str) -> Subject:
    return Subject(
        type="visitorerasure",
        id=str(erasure.pk),
        label=str(erasure),
        tenant_id=erasure.tenant_id,
        tenant_name=tenant_name,
    )
