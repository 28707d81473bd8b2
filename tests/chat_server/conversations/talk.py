"""Somebody who talks and sends files, by the same units of work as the chat endpoint's."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from django.utils import timezone

from chat_server import conversations, files
from chat_server.conversations import Owner, Piece
from chat_server.file_rules import MEGABYTE
from chat_server.models import Thread
from chat_server.sealed_files import SealingFile
from chat_server.sealing import ATTACHMENT, THREAD, new_id
from tenants.models import Assistant, Tenant

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture " * 100


@dataclass
class Talker:
    owner: Owner
    tenant: Tenant
    assistant: Assistant

    @classmethod
    def at(cls, tenant: Tenant, assistant: Assistant, *, ref: str = "") -> Talker:
        owner = Owner(tenant.pk, assistant.pk, ref or secrets.token_hex(16), int(time.time()) + 1)
        return cls(owner, tenant, assistant)

    def another(self) -> Talker:
        return Talker.at(self.tenant, self.assistant)

    def says(self, *texts: str, title: str = "a title", days_ago: float = 0) -> str:
        """One conversation with these messages; its id."""
        at = timezone.now() - timezone.timedelta(days=days_ago)
        thread_id = new_id(THREAD)
        conversations.create_thread(self.owner, Piece(thread_id, "thread", at, title.encode()))
        for text in texts:
            piece = Piece(new_id("msg"), "user_message", at, text.encode())
            conversations.put_item(self.owner, thread_id, piece)
        Thread.objects.filter(pk=thread_id).update(created_at=at, updated_at=at)
        return thread_id

    def announces(self, data: bytes = PNG, *, mime_type: str = "image/png", name: str = "me.png", **more: Any) -> str:
        attachment_id = new_id(ATTACHMENT)
        more = {"most_unused": 20, **more}
        size = more.pop("size", len(data))
        files.announce(self.owner, attachment_id, meta=name.encode(), mime_type=mime_type, size=size, **more)
        return attachment_id

    def uploads(self, attachment_id: str, data: bytes = PNG) -> None:
        sealed = BytesIO()
        sealing = SealingFile(sealed, files.read(self.owner, attachment_id).key)
        sealing.write(data)
        sealing.finish()
        sealed.seek(0)
        files.note_stored(self.owner, attachment_id, files.put_into_storage(self.owner, attachment_id, sealed))

    def sends(self, data: bytes = PNG, *, thread_id: str = "", **announced: Any) -> str:
        attachment_id = self.announces(data, **announced)
        self.uploads(attachment_id, data)
        if thread_id:
            files.take_into(self.owner, attachment_id, thread_id)
        return attachment_id

    def reads(self, attachment_id: str) -> bytes:
        return b"".join(files.pieces_of(files.read(self.owner, attachment_id)))


def stored(place: Path) -> list[Path]:
    return [path for path in sorted(place.rglob("*")) if path.is_file()]


def megabytes(number: float) -> bytes:
    return PNG + bytes(int(number * MEGABYTE) - len(PNG))
