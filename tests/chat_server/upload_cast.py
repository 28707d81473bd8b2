"""A visitor's files over real HTTP: announced in the protocol, uploaded and shown as ChatKit's frame does."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chatkit.types import AttachmentCreateParams, AttachmentsCreateReq
from django.conf import settings

from tenants.models import Assistant, Tenant
from tests.chat_server.chat_cast import Chat, Talker
from tests.platform_server import Answer

PNG = b"\x89PNG\r\n\x1a\n" + b"a picture " * 50_000
FRAME = "https://cdn.platform.openai.com"


def with_uploads(chat: Chat) -> Talker:
    """Somebody whose assistant takes up to three files of up to 1 MB each."""
    own = {"file_upload_enabled": True, "max_files": 3, "max_file_size_mb": 1}
    Assistant.objects.filter(pk=chat.shop.assistant.pk).update(**own)
    Tenant.objects.get(pk=chat.shop.tenant.pk).save()
    chat.platform.wait_for_configuration()
    return chat.talker()


def announce(talker: Talker, data: bytes = PNG, *, mime_type: str = "image/png", **given: Any) -> Answer:
    params = {"name": "me.png", "size": len(data), "mime_type": mime_type, **given}
    return talker.ask(AttachmentsCreateReq(params=AttachmentCreateParams(**params)))


def put(talker: Talker, url: str, data: bytes = PNG, *, origin: str | None = FRAME, **headers: str) -> Answer:
    sent = {"Content-Type": "image/png", **headers} | ({"Origin": origin} if origin else {})
    return talker.platform.request("PUT", path_of(url), body=data, headers=sent)


def get(talker: Talker, url: str, *, origin: str | None = None) -> Answer:
    return talker.platform.request("GET", path_of(url), headers={"Origin": origin} if origin else {})


def path_of(url: str) -> str:
    assert url.startswith(settings.PLATFORM_URL)
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def send(talker: Talker, data: bytes = PNG, **given: Any) -> dict[str, Any]:
    """A file that was announced and uploaded."""
    announced = announce(talker, data, **given).json
    assert put(talker, announced["upload_descriptor"]["url"], data).status == 200
    return dict(announced)


def files_of(attachment_id: str) -> list[Path]:
    return list(Path(settings.CHAT_FILES_DIR).rglob(f"{attachment_id}*"))
