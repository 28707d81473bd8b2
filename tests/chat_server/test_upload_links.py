"""What a link to a file opens, for whom, and from which pages."""

from __future__ import annotations

import time

import pytest

from chat_server.models import Attachment
from gateway.file_links import FileAction, FileGrant, mint_file_link
from tests.chat_server.chat_cast import Chat, Talker
from tests.chat_server.upload_cast import FRAME, announce, get, path_of, put, with_uploads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(chat: Chat) -> Talker:
    return with_uploads(chat)


def test_links_count_for_one_file_one_deed_ten_minutes_and_the_present_epochs(ann: Talker, chat: Chat) -> None:
    mine, other = announce(ann).json, announce(ann).json
    url, preview = mine["upload_descriptor"]["url"], mine["preview_url"]
    swapped = url.replace(mine["id"], other["id"])
    row = Attachment.objects.get(pk=mine["id"])

    def link(*, age: int = 0, epoch: int = 0, visitor_ref: str = row.visitor_ref) -> str:
        grant = FileGrant(FileAction.UPLOAD, row.pk, row.assistant_id, visitor_ref, int(time.time()) - age, epoch, 0)
        return url.partition("?")[0] + "?link=" + mint_file_link(grant, tenant_public_id=ann.public_id)

    refused = {
        "none": put(ann, url.partition("?")[0] + "?"),
        "changed": put(ann, url[:-1] + ("A" if url[-1] != "A" else "B")),
        "another file": put(ann, swapped),
        "another deed": put(ann, preview.replace("/?", "/upload/?")),
        "old": put(ann, link(age=601)),
        "another epoch": put(ann, link(epoch=7)),
    }
    foreign = put(ann, link(visitor_ref="0" * 32))
    not_yet = get(ann, preview)

    answered = {name: (answer.status, answer.code) for name, answer in refused.items()}
    assert answered == dict.fromkeys(refused, (401, "token_invalid"))
    assert (foreign.status, not_yet.status) == (404, 404)
    assert put(ann, link()).status == 200


def test_links_of_one_tenant_open_nothing_at_another(ann: Talker, chat: Chat) -> None:
    from tests.chat_server.conftest import open_chat_shop

    birch = open_chat_shop(chat.sandbox, "Birch", origin="https://birch.example")
    chat.platform.wait_for_configuration()
    url = announce(ann).json["upload_descriptor"]["url"]

    answer = put(ann, url.replace(ann.public_id, birch.public_id))

    assert (answer.status, answer.code) == (401, "token_invalid")


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (FRAME, "granted"),
        ("https://shop.example", "granted"),
        (None, "origin_missing"),
        ("null", "origin_null"),
        ("https://evil.example", "origin_not_allowed"),
        (f"{FRAME}.evil.example", "origin_not_allowed"),
    ],
)
def test_an_upload_comes_from_the_frame_or_a_website_of_the_tenant(ann: Talker, origin: str | None, code: str) -> None:
    url = announce(ann).json["upload_descriptor"]["url"]
    headers = {"Origin": origin} if origin else {}
    asked = {**headers, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}

    preflight = ann.platform.request("OPTIONS", path_of(url), headers=asked)
    answer = put(ann, url, origin=origin)

    assert answer.code == code
    assert answer.headers.get("access-control-allow-origin") == (origin if code == "granted" else None)
    assert preflight.status == (204 if code == "granted" else 403)
    if code == "granted":
        assert preflight.headers["access-control-allow-methods"] == "PUT, OPTIONS"
        assert preflight.headers["access-control-allow-headers"] == "content-type"
