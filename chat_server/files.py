"""Files of conversations: announced, stored, read, deleted; every look-up names tenant, assistant and visitor with the id.

    announced   a row, and the right to upload so many bytes of that type, once
    stored      the encrypted file lies in Django's default storage; the next message may take it into a conversation
    deleted     by the visitor, with its conversation, or after a day in which no message took it

What is another's is told as what does not exist: NoSuchRow. Synchronous units of work, for a thread of the chat desk;
storage is not the database's business, and slow storage never holds such a thread.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any, Final

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from chat_server.conversations import NoSuchRow, Owner
from chat_server.file_rules import MEGABYTE, FileRefused
from chat_server.models import Attachment, AttachmentState, Thread
from chat_server.receivers import remove_file
from chat_server.sealed_files import open_pieces
from chat_server.sealing import ATTACHMENT, attachment_binding
from encryption.content import ContentKey, new_content_key, open_content_key
from gateway.errors import Code
from sessions_api.models import RevokedVisitor

UNUSED_FOR: Final = timedelta(days=1)
DATABASE_SECONDS: Final = 5.0
_ID = re.compile(rf"{ATTACHMENT}_[0-9a-f]{{32}}")
_META: Final = "meta"


@dataclass(frozen=True, slots=True)
class FileRow:
    """What is known of a file: `name` is storage's, `meta` what the protocol keeps of it, in plain."""

    id: str
    mime_type: str
    size: int
    is_stored: bool
    name: str
    thread_id: str | None
    meta: bytes = field(repr=False)
    key: ContentKey = field(repr=False)


def announce(owner: Owner, attachment_id: str, *, meta: bytes, mime_type: str, size: int, most_unused: int) -> None:
    """Raises FileRefused when this visitor has announced too many that no message took, or the tenant's room is full."""
    row = Attachment(id=attachment_id, tenant_id=owner.tenant_id)
    token, key = new_content_key(attachment_binding(row))
    with transaction.atomic():
        _require_not_revoked(owner)
        # Calls at once may each see the last free place; they are as few as this process has threads.
        if Attachment.objects.filter(**owner.fields(), thread=None).count() >= most_unused:
            raise FileRefused(
                Code.RATE_LIMITED,
                f"At most {most_unused} files may wait for a message. Send one with them, or delete some.",
                reason="files_unused",
                retry_after=60,
            )
        _require_room(owner, size)
        try:
            with transaction.atomic():
                Attachment.objects.create(
                    id=attachment_id,
                    **owner.fields(),
                    key_token=token,
                    body=key.seal(meta, _META),
                    mime_type=mime_type,
                    size=size,
                    created_at=timezone.now(),
                )
        except IntegrityError:
            # The commit whose answer was lost; ids are too long for anything else.
            read(owner, attachment_id)


def read(owner: Owner, attachment_id: str) -> FileRow:
    row = _mine(owner, attachment_id).first()
    if row is None:
        raise NoSuchRow
    key = open_content_key(row.key_token, attachment_binding(row))
    is_stored = row.state == AttachmentState.STORED
    return FileRow(
        row.id,
        row.mime_type,
        row.size,
        is_stored,
        str(row.file.name or ""),
        row.thread_id,
        meta=key.open(row.body, _META),
        key=key,
    )


def require_unrevoked(owner: Owner, attachment_id: str) -> FileRow:
    """The file, for who comes with a link: it counts no more when the visitor was revoked after it was given."""
    _require_not_revoked(owner)
    return read(owner, attachment_id)


def require_usable(owner: Owner, attachment_ids: list[str]) -> None:
    """Raises NoSuchRow unless all of them are stored and in no message yet."""
    if not all(_ID.fullmatch(each) for each in attachment_ids):
        raise NoSuchRow
    usable = Attachment.objects.filter(
        pk__in=attachment_ids, **owner.fields(), state=AttachmentState.STORED, thread=None
    )
    if usable.count() != len(attachment_ids):
        raise NoSuchRow


def take_into(owner: Owner, attachment_id: str, thread_id: str) -> None:
    """Notes that a message of this conversation has the file: only one that is stored, and in one conversation for ever."""
    if not Thread.objects.filter(id=thread_id, **owner.fields()).exists():
        raise NoSuchRow
    free = _mine(owner, attachment_id).filter(Q(thread=None) | Q(thread_id=thread_id), state=AttachmentState.STORED)
    if not free.update(thread_id=thread_id):
        raise NoSuchRow


def put_into_storage(owner: Owner, attachment_id: str, sealed: IO[bytes]) -> str:
    """Stores an encrypted file, of which no row knows yet; gives its name. Asks no database."""
    row = Attachment(id=attachment_id, tenant_id=owner.tenant_id)
    field_of_file = Attachment._meta.get_field("file")
    return str(default_storage.save(field_of_file.generate_filename(row, row.id), File(sealed)))


def note_stored(owner: Owner, attachment_id: str, name: str) -> None:
    """Gives a stored file to its row. Of two uploads at once the first one counts; raises NoSuchRow where the row is gone."""
    is_first = False
    try:
        waiting = _mine(owner, attachment_id).filter(state=AttachmentState.ANNOUNCED)
        is_first = bool(waiting.update(state=AttachmentState.STORED, file=name))
        # What this very call has done already, where its connection died and it is tried again.
        is_first = is_first or _mine(owner, attachment_id).filter(file=name).exists()
    finally:
        if not is_first:
            remove_file(default_storage, name)
    if not _mine(owner, attachment_id).exists():
        raise NoSuchRow


def delete(owner: Owner, attachment_id: str) -> None:
    """One that no message has taken; what was said stays whole until its conversation goes."""
    with transaction.atomic():
        if not _mine(owner, attachment_id).filter(thread=None).delete()[0]:
            raise NoSuchRow


def pieces_of(row: FileRow) -> Iterator[bytes]:
    """The file in clear, piece by piece; raises NoSuchRow at the first, SecretError at any. Asks no database."""
    if not row.is_stored:
        raise NoSuchRow
    try:
        source = default_storage.open(row.name, "rb")
    except FileNotFoundError:
        raise NoSuchRow from None
    with source:
        yield from open_pieces(source, row.key)


async def read_attachment(context: Any, attachment_id: str) -> bytes:
    """The whole file, for a model's input; raises NoSuchRow. `context` is the call's (serving/context.py)."""
    row: FileRow = await context.desk.threads.run(lambda: read(context.owner, attachment_id), seconds=DATABASE_SECONDS)
    return await asyncio.to_thread(lambda: b"".join(pieces_of(row)))


def _mine(owner: Owner, attachment_id: str) -> QuerySet[Attachment]:
    if not _ID.fullmatch(attachment_id):
        raise NoSuchRow
    return Attachment.objects.filter(id=attachment_id, **owner.fields())


def _require_not_revoked(owner: Owner) -> None:
    revoked_since = datetime.fromtimestamp(owner.issued_at, UTC)
    if RevokedVisitor.objects.filter(ref=owner.visitor_ref, revoked_at__gte=revoked_since).exists():
        raise NoSuchRow


def _require_room(owner: Owner, size: int) -> None:
    if not settings.CHAT_FILES_MB_TENANT:
        return
    taken = Attachment.objects.filter(tenant_id=owner.tenant_id).aggregate(all=Sum("size"))["all"] or 0
    if taken + size > settings.CHAT_FILES_MB_TENANT * MEGABYTE:
        raise FileRefused(
            Code.QUOTA_EXCEEDED,
            "The files of this tenant's conversations have no more room. The operator can raise CHAT_FILES_MB_TENANT.",
            reason="files_full",
        )
