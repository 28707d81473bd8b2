"""Conversations in the database, as bytes: every look-up names tenant, assistant and visitor together with the id.

What is another's is told as what does not exist: NoSuchRow. Bodies are sealed under the conversation's own key (sealing.py); what
they hold is the business of `serving.store`. Synchronous units of work, for a thread of the chat desk; each may be repeated.
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from chat_server.models import Feedback, Thread, ThreadItem
from chat_server.sealing import THREAD, thread_binding
from encryption.content import ContentKey, new_content_key, open_content_key
from sessions_api.models import RevokedVisitor

MAX_PAGE: Final = 100
_THREAD_ID = re.compile(rf"{THREAD}_[0-9a-f]{{32}}")
_ITEM_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_THREAD_PIECE: Final = "thread"


class NoSuchRow(Exception):
    """Not there, or another visitor's."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows a request may see; `issued_at` of its grant, in epoch seconds. `keys` are those that this request has opened."""

    tenant_id: uuid.UUID
    assistant_id: uuid.UUID
    visitor_ref: str
    issued_at: int
    keys: dict[str, ContentKey] = field(default_factory=dict, repr=False, compare=False)

    def fields(self, prefix: str = "") -> dict[str, Any]:
        return {
            f"{prefix}tenant_id": self.tenant_id,
            f"{prefix}assistant_id": self.assistant_id,
            f"{prefix}visitor_ref": self.visitor_ref,
        }

    def key(self, thread_id: str, token: str) -> ContentKey:
        """Raises SecretError."""
        known = self.keys.get(thread_id)
        if known is None:
            binding = thread_binding(Thread(id=thread_id, tenant_id=self.tenant_id))
            known = self.keys[thread_id] = open_content_key(token, binding)
        return known


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a conversation as `serving.store` has it: `body` in plain, `created_at` with its zone."""

    id: str
    kind: str
    created_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Slice:
    """Bodies of one page, and the id after which the next one begins; empty at the end."""

    bodies: list[bytes] = field(repr=False)
    after: str = ""


def create_thread(owner: Owner, piece: Piece, *, holder: str = "", until: datetime | None = None) -> None:
    """`holder` has the turn in it `until` then (turns.py)."""
    thread = Thread(id=piece.id, tenant_id=owner.tenant_id)
    token, key = new_content_key(thread_binding(thread))
    try:
        with transaction.atomic():
            # The erasing of a visitor may have passed this by; its token counts for up to two seconds more.
            revoked_since = datetime.fromtimestamp(owner.issued_at, UTC)
            if RevokedVisitor.objects.filter(ref=owner.visitor_ref, revoked_at__gte=revoked_since).exists():
                raise NoSuchRow
            Thread.objects.bulk_create(
                [
                    Thread(
                        id=piece.id,
                        **owner.fields(),
                        key_token=token,
                        body=key.seal(piece.body, _THREAD_PIECE),
                        created_at=piece.created_at,
                        updated_at=timezone.now(),
                        run_holder=holder,
                        run_until=until,
                    )
                ]
            )
    except IntegrityError:
        # The commit whose answer was lost; ids are too long for anything else.
        update_thread(owner, piece.id, piece.body)
        return
    owner.keys[piece.id] = key


def update_thread(owner: Owner, thread_id: str, body: bytes) -> None:
    key = owner.keys.get(thread_id) or _key(owner, thread_id)
    if not my_thread(owner, thread_id).update(body=key.seal(body, _THREAD_PIECE), updated_at=timezone.now()):
        raise NoSuchRow


def read_thread(owner: Owner, thread_id: str) -> bytes:
    row = my_thread(owner, thread_id).values_list("key_token", "body").first()
    if row is None:
        raise NoSuchRow
    token, body = row
    return owner.key(thread_id, token).open(body, _THREAD_PIECE)


def read_threads(owner: Owner, *, after: str | None, limit: int, order: str) -> Slice:
    mine = Thread.objects.filter(**owner.fields())
    sign = "-" if order == "desc" else ""
    if after is not None:
        last = my_thread(owner, after).values_list("created_at", flat=True).first()
        if last is None:
            raise NoSuchRow
        way = "lt" if sign else "gt"
        mine = mine.filter(Q(**{f"created_at__{way}": last}) | Q(created_at=last, **{f"id__{way}": after}))
    most = min(max(limit, 1), MAX_PAGE)
    rows = list(mine.order_by(f"{sign}created_at", f"{sign}id").values_list("id", "key_token", "body")[: most + 1])
    bodies = [owner.key(pk, token).open(body, _THREAD_PIECE) for pk, token, body in rows[:most]]
    return Slice(bodies, rows[most - 1][0] if len(rows) > most else "")


def delete_thread(owner: Owner, thread_id: str) -> None:
    deleted, _ = my_thread(owner, thread_id).delete()
    if not deleted:
        raise NoSuchRow


def put_item(owner: Owner, thread_id: str, piece: Piece) -> None:
    """Append it, or write it anew where the thread has it already: adding one twice leaves one row, in its first place."""
    with transaction.atomic():
        # Counting on locks the row: two that append at once take turns, and a thread that is deleted meanwhile takes nothing.
        if not my_thread(owner, thread_id).update(next_number=F("next_number") + 1, updated_at=timezone.now()):
            raise NoSuchRow
        token, number = Thread.objects.values_list("key_token", "next_number").get(id=thread_id, **owner.fields())
        item = ThreadItem(
            thread_id=thread_id,
            item_id=piece.id,
            number=number - 1,
            kind=piece.kind,
            body=owner.key(thread_id, token).seal(piece.body, _name(piece.id)),
            created_at=piece.created_at,
        )
        ThreadItem.objects.bulk_create(
            [item], update_conflicts=True, unique_fields=["thread", "item_id"], update_fields=["kind", "body"]
        )


def read_items(owner: Owner, thread_id: str, *, after: str | None, limit: int, order: str) -> Slice:
    key = owner.keys.get(thread_id) or _key(owner, thread_id)
    items = ThreadItem.objects.filter(thread_id=thread_id, **owner.fields("thread__"))
    sign = "-" if order == "desc" else ""
    if after is not None:
        number = _item(owner, thread_id, after).values_list("number", flat=True).first()
        if number is None:
            raise NoSuchRow
        items = items.filter(**{"number__lt" if sign else "number__gt": number})
    most = min(max(limit, 1), MAX_PAGE)
    rows = list(items.order_by(f"{sign}number").values_list("item_id", "body")[: most + 1])
    if not rows and not my_thread(owner, thread_id).exists():
        raise NoSuchRow
    bodies = [key.open(body, _name(item_id)) for item_id, body in rows[:most]]
    return Slice(bodies, rows[most - 1][0] if len(rows) > most else "")


def read_item(owner: Owner, thread_id: str, item_id: str) -> bytes:
    row = _item(owner, thread_id, item_id).values_list("thread__key_token", "body").first()
    if row is None:
        raise NoSuchRow
    token, body = row
    return owner.key(thread_id, token).open(body, _name(item_id))


def delete_item(owner: Owner, thread_id: str, item_id: str) -> None:
    deleted, _ = _item(owner, thread_id, item_id).delete()
    if not deleted:
        raise NoSuchRow


def note_feedback(owner: Owner, thread_id: str, item_ids: list[str], kind: str) -> None:
    """What the visitor thinks of these answers; the last word counts. None is noted unless all are there."""
    wanted = set(item_ids)
    if not all(_ITEM_ID.fullmatch(item_id) for item_id in wanted) or len(wanted) > MAX_PAGE:
        raise NoSuchRow
    with transaction.atomic():
        if not my_thread(owner, thread_id).exists():
            raise NoSuchRow
        found = ThreadItem.objects.filter(thread_id=thread_id, item_id__in=wanted, **owner.fields("thread__"))
        if found.count() != len(wanted):
            raise NoSuchRow
        at = timezone.now()
        Feedback.objects.bulk_create(
            [Feedback(thread_id=thread_id, item_id=item_id, kind=kind, at=at) for item_id in sorted(wanted)],
            update_conflicts=True,
            unique_fields=["thread", "item_id"],
            update_fields=["kind", "at"],
        )


def my_thread(owner: Owner, thread_id: str) -> QuerySet[Thread]:
    """None or one. Raises NoSuchRow for what can be no id."""
    if not _THREAD_ID.fullmatch(thread_id):
        raise NoSuchRow
    return Thread.objects.filter(id=thread_id, **owner.fields())


def _item(owner: Owner, thread_id: str, item_id: str) -> QuerySet[ThreadItem]:
    if not _THREAD_ID.fullmatch(thread_id) or not _ITEM_ID.fullmatch(item_id):
        raise NoSuchRow
    return ThreadItem.objects.filter(thread_id=thread_id, item_id=item_id, **owner.fields("thread__"))


def _key(owner: Owner, thread_id: str) -> ContentKey:
    token = my_thread(owner, thread_id).values_list("key_token", flat=True).first()
    if token is None:
        raise NoSuchRow
    return owner.key(thread_id, token)


def _name(item_id: str) -> str:
    return f"item:{item_id}"
