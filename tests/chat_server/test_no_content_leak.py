"""What visitors say, name and send is found nowhere but with them: not in rows, files, logs, spool, metrics, pages or exports."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from chatkit.types import (
    AttachmentCreateParams,
    AttachmentsCreateReq,
    ThreadGetByIdParams,
    ThreadsGetByIdReq,
    ThreadsUpdateReq,
    ThreadUpdateParams,
)
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from chat_server.models import Attachment, Thread, ThreadItem
from chat_server.retention import prune_conversations
from sandbox.testing import Sandbox
from sessions_api.erase_visitor import erase_visitor, find_by_ref
from sessions_api.models import VisitorErasure
from tenants.models import Assistant, Tenant
from tests.chat_server.chat_cast import Chat, Talker, add, create
from tests.chat_server.conftest import chat_environment
from tests.chat_server.upload_cast import path_of
from tests.journeys.canary import Canary
from tests.platform_server import Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop
from tests.sessions_api.erasure_cast import work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talkative(sandbox: Sandbox, chat_shop: Shop, tmp_path: Path, settings: Any) -> Iterator[Chat]:
    """A platform that logs all it can, with places of its own for files and waiting rows."""
    Assistant.objects.filter(pk=chat_shop.assistant.pk).update(file_upload_enabled=True)
    Tenant.objects.get(pk=chat_shop.tenant.pk).save()
    storage = settings.CHAT_FILES_STORAGE
    options = {**storage["OPTIONS"], "location": str(tmp_path / "files")}
    settings.STORAGES = {**settings.STORAGES, "default": {**storage, "OPTIONS": options}}
    places = {"CHAT_FILES_DIR": str(tmp_path / "files"), "SPOOL_DIR": str(tmp_path / "spool")}
    with running_platform(**chat_environment(sandbox), **places, LOG_LEVEL="DEBUG") as platform:
        yield Chat(platform, sandbox, chat_shop)


def test_a_canary_in_message_title_file_name_and_file_is_found_nowhere(
    talkative: Chat, tmp_path: Path, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    canaries = {
        name: Canary.plant(f"{name}-canary-") for name in ("message", "title", "name", "body", "failed", "wrong")
    }
    ann = talkative.talker()
    thread_id = converse(ann, canaries)

    shown = ann.ask(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_id))).body.decode()
    places = {
        **{f"dump {name}": text for name, text in tables().items()},
        **{f"page {path}": text for path, text in pages().items()},
        **{f"file {path.name}": path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()},
        "log": talkative.platform.log,
        "our own log": caplog.text,
        "metrics": metrics(talkative.platform),
        "exports": exports(),
    }
    if connection.vendor == "sqlite":
        # By another process: whoever closes SQLite's file gives up all locks that his process has on it.
        places["the database's own bytes"] = subprocess.check_output(["cat", str(connection.settings_dict["NAME"])])

    leaks = {
        f"{name} in {place}": found
        for place, content in places.items()
        for name, canary in canaries.items()
        if (found := canary.found_in(content))
    }
    proof.record(places=len(places), canaries=len(canaries), leaks=len(leaks))
    assert leaks == {}
    # The search works, and all of it was said: the visitor's own history has it.
    assert all(canaries[name].found_in(shown) for name in ("message", "title", "name"))
    assert canaries["body"].found_in(json.dumps(talkative.sandbox.calls(path="/v1/responses")))
    assert '"logger": "' in talkative.platform.log
    assert ThreadItem.objects.count() >= 2
    assert Attachment.objects.get().state == "stored"


def converse(ann: Talker, canaries: dict[str, Canary]) -> str:
    body = f"Some words, and {canaries['body'].text} among them.".encode()
    file = AttachmentCreateParams(name=f"{canaries['name'].text}.txt", size=len(body), mime_type="text/plain")
    announced = ann.ask(AttachmentsCreateReq(params=file)).json
    url = announced["upload_descriptor"]["url"]
    sent = ann.platform.request("PUT", path_of(url), body=body, headers={"Origin": ann.origin})
    assert sent.status == 200
    thread_id = str(ann.events(create(canaries["message"].text, attachments=[announced["id"]]))[0].thread.id)
    rename = ThreadUpdateParams(thread_id=thread_id, title=canaries["title"].text)
    assert ann.ask(ThreadsUpdateReq(params=rename)).status == 200
    ann.events(add(thread_id, f"[fail] {canaries['failed'].text}"))
    # Whatever a request quotes that can't be read, or asks for what is not there.
    wrong = canaries["wrong"].text
    bodies = [
        {"type": "threads.create", "params": {"input": wrong}},
        {"type": wrong, "params": {}},
        {"type": "threads.get_by_id", "params": {"thread_id": wrong}},
        {"type": "threads.add_client_tool_output", "params": {"thread_id": thread_id, "result": wrong}},
        {"type": "attachments.create", "params": {"name": wrong, "size": 3, "mime_type": wrong}},
        {"type": "attachments.create", "params": {"name": wrong, "size": wrong, "mime_type": "image/png"}},
        {"type": "input.transcribe", "params": {"audio_base64": wrong, "mime_type": wrong}},
    ]
    for each in bodies:
        assert ann.ask(json.dumps(each).encode()).status >= 400, each
    assert ann.ask(f"{{ {wrong}".encode()).status == 400
    return thread_id


def tables() -> dict[str, bytes]:
    """Every column of every table, as it lies there."""
    dumped = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = [
                b"\x1f".join(bytes(v) if isinstance(v, bytes | memoryview) else str(v).encode() for v in row)
                for row in cursor.fetchall()
            ]
            dumped[table] = b"\n".join(rows)
    assert len(dumped) > 20
    return dumped


def pages() -> dict[str, bytes]:
    """Lists and pages of the console, as whoever may see all of it."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("ada", "ada@example.com", "x"))
    found = {}
    for model, page in admin.site._registry.items():
        listed = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        addresses = [listed]
        for row in model._default_manager.all()[:3]:
            try:
                addresses.append(reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk]))
            except NoReverseMatch:
                continue
        for address in addresses:
            found[address] = client.get(address).content
    assert reverse("admin:chat_server_thread_changelist") in found
    return found


def metrics(platform: Platform) -> bytes:
    return platform.request("GET", "/metrics").body


def exports() -> str:
    out = StringIO()
    call_command("dumpdata", "audit", stdout=out)
    assert AuditEvent.objects.exists()
    return out.getvalue()


def test_neither_retention_nor_erasure_tells_what_was_said(
    talkative: Chat, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    canary = Canary.plant("message-canary-")
    ann, ben = talkative.talker(), talkative.talker()
    old = ann.begin(canary.text)
    ben.begin(canary.text)
    ref = Thread.objects.exclude(pk=old).get().visitor_ref
    Thread.objects.filter(pk=old).update(updated_at="2026-01-01T00:00:00Z")

    prune_conversations(seconds=10)
    erase_visitor(tenant=talkative.shop.tenant, person=find_by_ref(talkative.shop.tenant, ref), actor=SYSTEM)
    work()

    assert not Thread.objects.exists()
    certificate = VisitorErasure.objects.get().certificate
    assert json.loads(certificate)["certificate"]["served_here"]["threads"] == 1
    kept = {"exports": exports(), "certificate": certificate, "log": talkative.platform.log, "ours": caplog.text}
    leaks = {place: found for place, text in kept.items() if (found := canary.found_in(text))}
    proof.record(leaks=len(leaks))
    assert leaks == {}
