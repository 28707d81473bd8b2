"""Writes audit events: in the transaction of the change, linked under a row lock. No row, no change."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import rfc8785
from django.db import connection
from django.utils import timezone

from audit.actions import Action
from audit.addresses import truncate_address
from audit.changes import plain, printable
from audit.models import AuditEvent, ChainHead

if TYPE_CHECKING:
    from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a user's name and id, and the truncated address of the request."""

    name: str
    id: str = ""
    address: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, request: "HttpRequest") -> "Actor":
        user = getattr(request, "user", None)
        known = user is not None and user.is_authenticated
        return cls(
            name=user.get_username()[:150] if known and user is not None else "anonymous",
            id=str(user.pk) if known and user is not None else "",
            address=truncate_address(request.META.get("REMOTE_ADDR", "")),
            request_id=str(getattr(request, "request_id", ""))[:40],
        )


SYSTEM: Final = Actor("system")


@dataclass(frozen=True, slots=True)
class Subject:
    """What it happened to, by text: `type` is a model's name, `id` its key, `label` what a person calls it."""

    type: str
    id: str
    label: str
    tenant_id: uuid.UUID | None = None
    tenant_name: str = ""


def record(action: Action, *, actor: Actor, subject: Subject, changes: Mapping[str, Any] | None = None) -> AuditEvent:
    """Appends one event to the chain. `changes` (shape: audit/changes.py) holds no secret: fingerprints at most.

    Locks the chain until the end of the transaction. So that no two transactions wait for each other, every change of the
    configuration takes its locks in one order: the epoch first (`ConfigEpoch`), rows next, those that listeners of signals
    write among them, and `record()` last. Where one transaction holds several changes (a form of the admin), the epoch that the
    first of them took keeps the others out.

    Raises RuntimeError outside a transaction: an event must stand or fall with its change.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() must run in the transaction of the change that it records.")
    head = ChainHead.objects.select_for_update().get(pk=1)
    event = AuditEvent(
        seq=head.seq + 1,
        at=timezone.now(),
        action=action,
        actor=printable(actor.name)[:150],
        actor_id=actor.id[:36],
        address=actor.address,
        request_id=printable(actor.request_id)[:40],
        tenant_id=subject.tenant_id,
        tenant_name=printable(subject.tenant_name)[:120],
        subject_type=subject.type[:40],
        subject_id=printable(subject.id)[:64],
        subject=printable(subject.label[:200]),
        changes=plain(changes or {}),
        prev_hash=head.hash,
    )
    event.hash = link_hash(event)
    event.save(force_insert=True)
    head.seq, head.hash = event.seq, event.hash
    head.save(update_fields=["seq", "hash"])
    return event


def link_hash(event: AuditEvent) -> str:
    """SHA-256 over 0x00 and the canonical JSON of every other column, in hex."""
    return hashlib.sha256(b"\x00" + canonical(link_columns(event))).hexdigest()


def canonical(row: dict[str, Any]) -> bytes:
    """RFC 8785's form of a row as `plain` leaves it: without floats and uncertain numbers.

    For such a row in pure ASCII the standard library's encoder says the same five times as fast, so a long chain is
    verified in minutes; beyond ASCII the order of keys may differ, and the reference implementation is asked.
    """
    text = json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() if text.isascii() else rfc8785.dumps(row)


def link_columns(event: AuditEvent) -> dict[str, Any]:
    """What the hash covers: every column but the hash itself, as JSON."""
    return {
        "seq": event.seq,
        "id": str(event.id),
        "at": event.at.isoformat(),
        "action": str(event.action),
        "actor": event.actor,
        "actor_id": event.actor_id,
        "address": event.address,
        "request_id": event.request_id,
        "tenant_id": str(event.tenant_id) if event.tenant_id else None,
        "tenant_name": event.tenant_name,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "subject": event.subject,
        "changes": event.changes,
        "prev_hash": event.prev_hash,
    }
