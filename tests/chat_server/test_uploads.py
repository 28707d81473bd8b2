"""Files over real HTTP: announced in the protocol, uploaded and shown by signed links, given to the model, gone with the chat."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from chatkit.types import (
    AttachmentDeleteParams,
    AttachmentsDeleteReq,
    ThreadDeleteParams,
    ThreadGetByIdParams,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
)

from audit.record import SYSTEM
from chat_server.models import Attachment, Thread
from sessions_api.erase_visitor import erase_visitor, find_by_ref
from tenants.models import Assistant, Tenant
from tests.chat_server.chat_cast import Chat, Talker, add, create, kinds, message
from tests.chat_server.upload_cast import FRAME, PNG, announce, files_of, get, path_of, put, send, with_uploads
from tests.proof.plugin import Proof

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(chat: Chat) -> Talker:
    return with_uploads(chat)


def test_a_picture_goes_to_the_model_and_comes_back_with_the_history(ann: Talker, chat: Chat, proof: Proof) -> None:
    announced = announce(ann).json
    assert announced["type"] == "image"
    assert announced["upload_descriptor"]["method"] == "PUT"
    assert announced["upload_descriptor"]["headers"] == {"Content-Type": "image/png"}
    uploaded = put(ann, announced["upload_descriptor"]["url"])
    events = ann.events(create("what is it?", attachments=[announced["id"]]))
    thread_id = events[0].thread.id

    [item, *_] = ann.ask(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_id))).json["items"]["data"]
    [shown] = item["attachments"]
    picture = get(ann, shown["preview_url"])

    assert (uploaded.status, uploaded.headers["access-control-allow-origin"]) == (200, FRAME)
    assert "error" not in kinds(events)
    assert (shown["id"], shown["name"], shown.get("upload_descriptor")) == (announced["id"], "me.png", None)
    assert (picture.status, picture.body) == (200, PNG)
    assert base64.b64encode(PNG[:300]).decode() in str(chat.sandbox.calls(path="/v1/responses")[-1]["body"])
    [file] = files_of(announced["id"])
    assert b"a picture" not in file.read_bytes()
    proof.record(bytes=len(PNG))


def test_a_picture_is_shown_so_that_it_can_do_nothing_else(ann: Talker) -> None:
    announced = send(ann)

    picture = get(ann, announced["preview_url"])

    headers = picture.headers
    assert headers["content-type"] == "image/png"
    assert headers["content-disposition"] == f'inline; filename="{announced["id"]}.png"'
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["vary"] == "Origin"
    assert headers["content-length"] == str(len(PNG))
    assert "me.png" not in str(headers)


def test_a_file_that_is_no_picture_has_no_link_to_be_shown(ann: Talker) -> None:
    announced = send(ann, b"%PDF-1.7 and so on", mime_type="application/pdf")

    assert (announced["type"], "preview_url" in announced) == ("file", False)


@pytest.mark.parametrize(
    ("data", "mime_type", "announced", "status"),
    [
        (b"<html>", "image/png", {}, 415),
        (PNG + b"1", "image/png", {"size": len(PNG)}, 413),
        (PNG, "image/png", {"size": len(PNG) + 1}, 400),
        (b"", "image/png", {"size": 1}, 400),
        (b"a\x00b", "text/plain", {}, 415),
    ],
)
def test_other_bytes_than_were_announced_are_refused_and_leave_nothing(
    ann: Talker, data: bytes, mime_type: str, announced: dict[str, Any], status: int
) -> None:
    attachment = announce(ann, data, mime_type=mime_type, **announced).json

    answer = put(ann, attachment["upload_descriptor"]["url"], data)
    used = ann.ask(create("with it", attachments=[attachment["id"]]))

    assert answer.status == status, answer.body
    assert answer.headers["access-control-allow-origin"] == FRAME
    assert files_of(attachment["id"]) == []
    assert (used.status, used.code) == (404, "not_found")


def test_what_an_assistant_does_not_take_is_refused_when_it_is_announced(ann: Talker, chat: Chat) -> None:
    refused = [
        announce(ann, mime_type="text/html"),
        announce(ann, size=1024 * 1024 + 1),
        announce(ann, size=0),
        announce(ann, name=""),
    ]
    Assistant.objects.filter(pk=chat.shop.assistant.pk).update(file_upload_enabled=False)
    Tenant.objects.get(pk=chat.shop.tenant.pk).save()
    chat.platform.wait_for_configuration()
    refused.append(announce(ann))

    assert [answer.status for answer in refused] == [415, 413, 400, 400, 400]
    assert not Attachment.objects.exists()


def test_only_so_many_files_wait_for_a_message(ann: Talker) -> None:
    statuses = [announce(ann).status for _ in range(8)]

    assert statuses == [200] * 6 + [429] * 2


def test_a_message_has_only_as_many_files_as_the_assistant_takes_and_none_twice(ann: Talker) -> None:
    sent = [send(ann)["id"] for _ in range(4)]

    refused = [ann.ask(create("all", attachments=sent)), ann.ask(create("twice", attachments=[sent[0]] * 2))]
    taken = ann.events(create("three", attachments=sent[:3]))

    assert [(answer.status, answer.code) for answer in refused] == [(400, "body_invalid")] * 2
    assert "error" not in kinds(taken)


def test_an_upload_is_repeated_without_harm_and_other_methods_are_refused(ann: Talker) -> None:
    announced = announce(ann).json
    url = announced["upload_descriptor"]["url"]

    first, second = put(ann, url), put(ann, url, PNG[::-1])
    posted = ann.platform.request("POST", path_of(url), body=PNG, headers={"Origin": FRAME})

    assert (first.status, second.status) == (200, 200)
    assert get(ann, announced["preview_url"]).body == PNG
    assert (posted.status, posted.headers["allow"]) == (405, "PUT, OPTIONS")


def test_a_visitor_deletes_a_file_and_a_conversation_takes_its_own_with_it(ann: Talker) -> None:
    unused, used = send(ann)["id"], send(ann)["id"]
    thread_id = ann.events(create("with it", attachments=[used]))[0].thread.id

    deleted = ann.ask(AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id=unused)))
    again = ann.ask(AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id=unused)))
    before = files_of(used)
    ann.ask(ThreadsDeleteReq(params=ThreadDeleteParams(thread_id=thread_id)))

    assert (deleted.status, again.status) == (200, 404)
    assert (files_of(unused), len(before), files_of(used)) == ([], 1, [])
    assert not Attachment.objects.exists()


def test_files_of_another_visitor_can_neither_be_used_nor_deleted(ann: Talker, chat: Chat) -> None:
    ben, hers = chat.talker(), send(ann)["id"]

    used = ben.ask(create("with hers", attachments=[hers]))
    deleted = ben.ask(AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id=hers)))
    unknown = ben.ask(AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id="atc_" + "0" * 32)))

    assert (used.status, deleted.status, unknown.status) == (404, 404, 404)
    assert {**deleted.json["error"], "request_id": ""} == {**unknown.json["error"], "request_id": ""}
    assert "error" not in kinds(ann.events(create("with mine", attachments=[hers])))


def test_after_an_erasure_no_link_opens_anything(ann: Talker, chat: Chat) -> None:
    sent, waiting = send(ann), announce(ann).json
    row = Attachment.objects.get(pk=sent["id"])

    erase_visitor(tenant=chat.shop.tenant, person=find_by_ref(chat.shop.tenant, row.visitor_ref), actor=SYSTEM)

    assert get(ann, sent["preview_url"]).status == 404
    assert put(ann, waiting["upload_descriptor"]["url"]).status == 404
    assert files_of(waiting["id"]) == []


def test_a_later_message_may_have_files_too_and_a_conversation_keeps_its_own(ann: Talker) -> None:
    first, second = send(ann)["id"], send(ann)["id"]
    thread_id = ann.events(create("one", attachments=[first]))[0].thread.id

    more = ann.events(add(thread_id, "two", attachments=[second]))
    elsewhere = ann.ask(create("again", attachments=[first]))

    assert "error" not in kinds(more)
    assert elsewhere.status == 404
    assert Thread.objects.count() == 1
    assert message("x").attachments == []
