"""What the model is shown of a conversation: the latest within a budget, files with their messages, controls that were used."""

import base64
from datetime import datetime

import pytest
from chatkit.types import UserMessageItem

from chat_server.conversations import NoSuchRow
from chat_server.serving import input_items
from chat_server.serving.input_items import load_conversation
from chat_server.serving.titles import title_of
from tests.chat_server.run_cast import MemoryStore, a_chat, errors_in, kinds_of

pytestmark = pytest.mark.asyncio

IMAGE = {
    "type": "image",
    "id": "atc_1",
    "name": "wheel.png",
    "mime_type": "image/png",
    "preview_url": "https://x.test/1",
}
PAPER = {"type": "file", "id": "atc_2", "name": "bill.pdf", "mime_type": "application/pdf"}
GONE = {"type": "file", "id": "atc_3", "name": "gone.pdf", "mime_type": "application/pdf"}
SOUND = {"type": "file", "id": "atc_4", "name": "bell.mp3", "mime_type": "audio/mpeg"}

ELEVEN = "one two three four five six seven eight nine, ten eleven"


async def shown(*items, most=4000):
    store = MemoryStore()
    for item in items:
        await store.add_thread_item("thr_1", item, None)

    async def read_file(attachment_id):
        if attachment_id == "atc_3":
            raise NoSuchRow
        return b"bytes of " + attachment_id.encode()

    return await load_conversation(store, "thr_1", None, most_chars_of_message=most, read_file=read_file)


def said(number, text, **more):

    return UserMessageItem.model_validate(
        {
            "id": f"msg_{number}",
            "thread_id": "thr_1",
            "created_at": datetime(2026, 11, 24).isoformat(),
            "content": [{"type": "input_text", "text": text}],
            "inference_options": {},
            "attachments": [],
            **more,
        }
    )


def texts(conversation):
    return [item["content"][0]["text"] for item in conversation.items]


async def test_the_latest_messages_are_shown_as_far_as_the_budget_goes_oldest_first(monkeypatch):
    monkeypatch.setattr(input_items, "MOST_CHARS", 10)
    monkeypatch.setattr(input_items, "PAGE", 2)

    conversation = await shown(said(1, "aaaaa"), said(2, "bbbb"), said(3, "cccc"), said(4, "dd"))

    assert texts(conversation) == ["bbbb", "cccc", "dd"]


async def test_the_newest_message_is_shown_whatever_its_length(monkeypatch):
    monkeypatch.setattr(input_items, "MOST_CHARS", 3)

    assert texts(await shown(said(1, "a"), said(2, "bbbbbb"))) == ["bbbbbb"]


async def test_files_go_with_their_messages_and_what_cannot_be_read_is_named():
    conversation = await shown(said(1, "look", attachments=[IMAGE, PAPER, GONE, SOUND]))

    _, image, paper, gone, sound = conversation.items[0]["content"]
    assert image["type"] == "input_image"
    assert image["image_url"] == "data:image/png;base64," + base64.b64encode(b"bytes of atc_1").decode()
    assert (paper["type"], paper["filename"]) == ("input_file", "bill.pdf")
    assert paper["file_data"].startswith("data:application/pdf;base64,")
    assert "gone.pdf" in gone["text"]
    assert "bell.mp3" in sound["text"]


async def test_older_files_are_named_only_when_the_latest_fill_the_budget(monkeypatch):
    monkeypatch.setattr(input_items, "MOST_FILES", 1)

    first, second = (await shown(said(1, "a", attachments=[IMAGE]), said(2, "b", attachments=[PAPER]))).items

    assert "wheel.png" in first["content"][1]["text"]
    assert second["content"][1]["type"] == "input_file"


async def test_a_used_control_is_kept_unseen_and_answered(sandbox):
    async with a_chat(sandbox) as chat:
        await chat.say("hello")
        events = await chat.call(
            "threads.custom_action", thread_id=chat.thread_id, action={"type": "size", "payload": {"size": "L"}}
        )
        body = sandbox.calls(path="/v1/responses")[-1]["body"]

    assert not errors_in(events)
    assert kinds_of(chat.items)[2:] == ["hidden_context_item", "assistant_message"]
    assert "hidden_context_item" not in str(events)
    assert '{"size": "L"}' in str(body["input"][-1])


async def test_a_control_that_says_too_much_is_refused_and_its_run_settled(sandbox):
    async with a_chat(sandbox) as chat:
        await chat.say("hello")
        [error] = errors_in(
            await chat.call(
                "threads.custom_action", thread_id=chat.thread_id, action={"type": "size", "payload": "x" * 9000}
            )
        )

    assert error.allow_retry is False
    assert chat.row.outcome == "action_too_large"
    assert len(chat.items) == 2


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("  two\n\nlines ", "two lines"),
        ("x" * 100, "x" * 59 + "…"),
        (
            "one two three four five six seven eight nine, ten eleven twelve",
            "one two three four five six seven eight nine, ten eleven…",
        ),
        ("", ""),
    ],
)
async def test_a_title_is_the_beginning_of_what_was_said(text, title):
    assert title_of(text) == title
