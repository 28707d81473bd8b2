"""No id of anybody else's leads anywhere: every operation with each foreign id answers as for one that never was."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from chatkit.actions import Action
from chatkit.types import (
    AttachmentDeleteParams,
    AttachmentsDeleteReq,
    ChatKitReq,
    ItemFeedbackParams,
    ItemsFeedbackReq,
    ItemsListParams,
    ItemsListReq,
    StructuredInputSubmission,
    ThreadAddClientToolOutputParams,
    ThreadAddStructuredInputParams,
    ThreadCustomActionParams,
    ThreadDeleteParams,
    ThreadGetByIdParams,
    ThreadListParams,
    ThreadRetryAfterItemParams,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsCustomActionReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsSyncCustomActionReq,
    ThreadsUpdateReq,
    ThreadUpdateParams,
)
from pydantic import BaseModel

from chat_server.models import Attachment, Feedback, Thread, ThreadItem
from chat_server.sealing import ATTACHMENT, THREAD, attachment_binding, new_id
from encryption.content import new_content_key
from tests.chat_server.chat_cast import Chat, Talker, add, create
from tests.chat_server.conftest import open_chat_shop
from tests.chat_server.test_conversation import history
from tests.platform_server import Answer
from tests.tenants.cast import give_chat

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "the-words-of-somebody-else"


@dataclass(frozen=True)
class Ids:
    """What a visitor has: a conversation, a message of its own, an answer, a file."""

    thread: str
    message: str
    answer: str
    file: str


def action(ids: Ids, item: str | None = None) -> ThreadCustomActionParams:
    return ThreadCustomActionParams(thread_id=ids.thread, item_id=item, action=Action(type="rate", payload=1))


def retry(ids: Ids) -> BaseModel:
    return ThreadsRetryAfterItemReq(params=ThreadRetryAfterItemParams(thread_id=ids.thread, item_id=ids.message))


def answer_question(ids: Ids) -> BaseModel:
    params = ThreadAddStructuredInputParams(
        thread_id=ids.thread, item_id=ids.answer, input=StructuredInputSubmission(answers={})
    )
    return ThreadsAddStructuredInputReq(params=params)


def tool_output(ids: Ids) -> BaseModel:
    return ThreadsAddClientToolOutputReq(params=ThreadAddClientToolOutputParams(thread_id=ids.thread, result=1))


def feedback(ids: Ids) -> BaseModel:
    params = ItemFeedbackParams(thread_id=ids.thread, item_ids=[ids.answer], kind="positive")
    return ItemsFeedbackReq(params=params)


# Each operation that names something, by every id that it names.
OPERATIONS: dict[str, Callable[[Ids], BaseModel]] = {
    "threads.create with a file": lambda ids: create(attachments=[ids.file]),
    "threads.add_user_message": lambda ids: add(ids.thread),
    "threads.add_client_tool_output": tool_output,
    "threads.add_structured_input": answer_question,
    "threads.retry_after_item": retry,
    "threads.custom_action": lambda ids: ThreadsCustomActionReq(params=action(ids)),
    "threads.custom_action of an item": lambda ids: ThreadsCustomActionReq(params=action(ids, ids.answer)),
    "threads.sync_custom_action": lambda ids: ThreadsSyncCustomActionReq(params=action(ids)),
    "threads.get_by_id": lambda ids: ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=ids.thread)),
    "threads.list after": lambda ids: ThreadsListReq(params=ThreadListParams(after=ids.thread)),
    "threads.update": lambda ids: ThreadsUpdateReq(params=ThreadUpdateParams(thread_id=ids.thread, title="Mine")),
    "threads.delete": lambda ids: ThreadsDeleteReq(params=ThreadDeleteParams(thread_id=ids.thread)),
    "items.list": lambda ids: ItemsListReq(params=ItemsListParams(thread_id=ids.thread)),
    "items.list after": lambda ids: ItemsListReq(params=ItemsListParams(thread_id=ids.thread, after=ids.answer)),
    "items.feedback": feedback,
    "attachments.delete": lambda ids: AttachmentsDeleteReq(params=AttachmentDeleteParams(attachment_id=ids.file)),
}
# Those that name nothing: what they make or show is the caller's by the token alone.
NAMELESS = {"threads.create", "attachments.create", "input.transcribe"}
# An item of another conversation, beside a conversation of the caller's own.
BY_ITEM = (
    *("threads.add_structured_input", "threads.retry_after_item", "threads.custom_action of an item"),
    *("items.list after", "items.feedback"),
)


def settled(chat: Chat, talker: Talker) -> Ids:
    thread_id = talker.begin(SECRET)
    asked, answered = history(talker, thread_id).data
    thread = Thread.objects.get(id=thread_id)
    file = Attachment(
        id=new_id(ATTACHMENT),
        tenant_id=thread.tenant_id,
        assistant_id=thread.assistant_id,
        visitor_ref=thread.visitor_ref,
        mime_type="text/plain",
        size=4,
        state="stored",
        created_at=thread.created_at,
    )
    token, key = new_content_key(attachment_binding(file))
    file.key_token, file.body = token, key.seal(json.dumps({"name": SECRET}).encode(), "meta")
    file.save()
    return Ids(thread_id, asked.id, answered.id, file.id)


@pytest.fixture
def others(chat: Chat, talker: Talker) -> dict[str, Ids]:
    give_chat(chat.shop.tenant, chat.shop.key, slug="second")
    elsewhere = open_chat_shop(chat.sandbox, "Maple")
    chat.platform.wait_for_configuration()
    # The same visitor, at another assistant of the same tenant.
    second = chat.talker(visitor_token=talker.visitor_token, assistant="second")
    return {
        "another visitor's": settled(chat, chat.talker()),
        "another assistant's": settled(chat, second),
        "another tenant's": settled(chat, chat.talker(elsewhere)),
        "malformed": Ids("thr_x", "../../etc", "\x00", "' OR 1=1"),
    }


def told(answer: Answer) -> tuple[int, Any]:
    """All that the caller gets to know, but for the name of its request."""
    body = answer.body.replace(answer.headers["x-request-id"].encode(), b"")
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status, (body, headers)


def state() -> list[Any]:
    return [
        list(model.objects.order_by("pk").values_list("pk", *fields))
        for model, fields in (
            (Thread, ("body", "next_number")),
            (ThreadItem, ("item_id", "body")),
            (Attachment, ("thread_id", "body")),
            (Feedback, ("kind",)),
        )
    ]


def test_every_operation_is_in_the_matrix() -> None:
    args = getattr(ChatKitReq, "__args__")[0].__args__  # noqa: B009 an Annotated type has it at run time only
    named = {operation.split(" ")[0] for operation in OPERATIONS}

    assert {kind.model_fields["type"].default for kind in args} == named | NAMELESS


def test_no_foreign_id_leads_anywhere(chat: Chat, talker: Talker, others: dict[str, Ids]) -> None:
    own = settled(chat, talker)
    unknown = Ids(new_id(THREAD), new_id("msg"), new_id("msg"), new_id(ATTACHMENT))
    leaks: list[str] = []
    asked = 0
    before = state()

    def compare(operation: str, whose: str, answer: Answer, never_was: Answer) -> None:
        nonlocal asked
        asked += 1
        if told(answer) != told(never_was) or answer.status != 404 or SECRET.encode() in answer.body:
            leaks.append(f"{operation} with {whose} id: {answer.status} {answer.body[:200]!r}")

    for operation, request in OPERATIONS.items():
        never_was = talker.ask(request(unknown))
        compare(operation, "an unknown", never_was, never_was)
        for whose, ids in others.items():
            compare(operation, whose, talker.ask(request(ids)), never_was)
    for operation in BY_ITEM:
        never_was = talker.ask(OPERATIONS[operation](Ids(own.thread, unknown.message, unknown.answer, unknown.file)))
        for whose, ids in others.items():
            mixed = Ids(own.thread, ids.message, ids.answer, ids.file)
            compare(f"{operation}, own thread", whose, talker.ask(OPERATIONS[operation](mixed)), never_was)

    assert leaks == []
    assert asked == len(OPERATIONS) * (1 + len(others)) + len(BY_ITEM) * len(others)
    assert state() == before


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "threads.delete"])
def test_own_ids_lead_somewhere(chat: Chat, talker: Talker, operation: str) -> None:
    """So that the matrix is no proof by an endpoint that finds nothing at all."""
    own = settled(chat, talker)

    answer = talker.ask(OPERATIONS[operation](own))

    assert answer.status == 200 or answer.code == "body_invalid", answer.body


def test_what_a_list_shows_is_the_callers_own(chat: Chat, talker: Talker, others: dict[str, Ids]) -> None:
    own = settled(chat, talker)

    listed = talker.ask(ThreadsListReq(params=ThreadListParams(limit=100))).json["data"]

    assert [thread["id"] for thread in listed] == [own.thread]
