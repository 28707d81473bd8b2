"""The chat endpoint over real HTTP: every operation of ChatKit's protocol, asked with OpenAI's own types and answered in them."""

from typing import Any

import pytest
from chatkit.actions import Action
from chatkit.types import (
    InputTranscribeParams,
    InputTranscribeReq,
    ItemFeedbackParams,
    ItemsFeedbackReq,
    ItemsListParams,
    ItemsListReq,
    Page,
    StructuredInputAnswerSubmission,
    StructuredInputSubmission,
    SyncCustomActionResponse,
    Thread,
    ThreadAddClientToolOutputParams,
    ThreadAddStructuredInputParams,
    ThreadCustomActionParams,
    ThreadDeleteParams,
    ThreadGetByIdParams,
    ThreadItem,
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
from pydantic import TypeAdapter

from audit.record import SYSTEM
from chat_server.models import ChatRun, Feedback
from chat_server.models import Thread as Conversation
from chat_server.models import ThreadItem as Part
from tenants.versions import publish, save_draft
from tests.chat_server.chat_cast import Chat, Talker, add, create, kinds, said
from tests.platform_server import Answer

pytestmark = pytest.mark.django_db(transaction=True)
ITEMS: TypeAdapter[Any] = TypeAdapter(Page[ThreadItem])
THREADS: TypeAdapter[Any] = TypeAdapter(Page[Thread])


def history(talker: Talker, thread_id: str, **page: Any) -> Any:
    answer = talker.ask(ItemsListReq(params=ItemsListParams(thread_id=thread_id, **{"order": "asc", **page})))
    assert answer.status == 200, answer.body
    return ITEMS.validate_json(answer.body)


def threads(talker: Talker, **page: Any) -> Any:
    answer = talker.ask(ThreadsListReq(params=ThreadListParams(**page)))
    assert answer.status == 200, answer.body
    return THREADS.validate_json(answer.body)


def give_tools(chat: Chat) -> None:
    tool = {"name": "open_cart", "description": "Opens the cart.", "parameters": {"type": "object", "properties": {}}}
    values = {"client_tools": [tool], "ask_visitor": True}
    save_draft(assistant=chat.shop.assistant, values=values, actor=SYSTEM)
    publish(assistant=chat.shop.assistant, actor=SYSTEM)
    chat.platform.wait_for_configuration()


def test_a_first_message_makes_a_conversation_and_is_answered(chat: Chat, talker: Talker) -> None:
    events = talker.events(create("good morning"))

    assert kinds(events)[:3] == ["thread.created", "thread.item.done", "stream_options"]
    assert said(events) == "You said: good morning"
    assert Conversation.objects.get().id == events[0].thread.id
    assert len(events[0].thread.id.partition("_")[2]) == 32
    run = ChatRun.objects.get()
    assert (run.outcome, run.operation, run.model) == ("answered", "threads.create", "gpt-sandbox")


def test_nothing_of_what_was_said_stands_in_the_database_in_clear(chat: Chat, talker: Talker) -> None:
    talker.begin("my secret wish")

    bodies = [bytes(row.body) for row in (*Conversation.objects.all(), *Part.objects.all())]
    assert len(bodies) >= 3
    assert not any(b"wish" in body for body in bodies)


def test_a_conversation_goes_on_and_is_read_again_in_order(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    talker.events(add(thread_id, "two"))

    items = history(talker, thread_id).data
    whole = talker.ask(ThreadsGetByIdReq(params=ThreadGetByIdParams(thread_id=thread_id)))

    assert [item.type for item in items] == ["user_message", "assistant_message"] * 2
    assert [item.content[0].text for item in items] == ["one", "You said: one", "two", "You said: two"]
    assert [item.id for item in Thread.model_validate_json(whole.body).items.data] == [item.id for item in items]


def test_history_comes_in_pages(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    talker.events(add(thread_id, "two"))

    first = history(talker, thread_id, limit=3)
    rest = history(talker, thread_id, limit=3, after=first.after)
    backwards = history(talker, thread_id, limit=1, order="desc")

    assert (len(first.data), first.has_more, len(rest.data), rest.has_more) == (3, True, 1, False)
    assert backwards.data[0].id == rest.data[0].id


def test_conversations_are_listed_renamed_and_deleted(chat: Chat, talker: Talker) -> None:
    older, newer = talker.begin("one"), talker.begin("two")

    renamed = talker.ask(ThreadsUpdateReq(params=ThreadUpdateParams(thread_id=older, title="Bicycles")))
    page = threads(talker, limit=1)
    rest = threads(talker, limit=1, after=page.after)
    deleted = talker.ask(ThreadsDeleteReq(params=ThreadDeleteParams(thread_id=newer)))

    assert Thread.model_validate_json(renamed.body).title == "Bicycles"
    assert ([thread.id for thread in page.data], page.has_more) == ([newer], True)
    assert [(thread.id, thread.title) for thread in rest.data] == [(older, "Bicycles")]
    assert deleted.json == {}
    assert [thread.id for thread in threads(talker).data] == [older]
    assert talker.ask(add(newer)).code == "not_found"


def test_without_history_nothing_is_listed_and_the_conversation_goes_on(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    type(chat.shop.assistant).objects.filter(pk=chat.shop.assistant.pk).update(history_enabled=False)
    chat.platform.wait_for_configuration()

    assert threads(talker).data == []
    assert said(talker.events(add(thread_id, "two"))) == "You said: two"


def test_a_message_is_tried_again(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    asked, answered = history(talker, thread_id).data

    events = talker.events(
        ThreadsRetryAfterItemReq(params=ThreadRetryAfterItemParams(thread_id=thread_id, item_id=asked.id))
    )

    assert said(events) == "You said: one"
    after = history(talker, thread_id).data
    assert (len(after), after[0].id) == (2, asked.id)
    assert after[1].id != answered.id


def test_a_function_of_the_page_is_called_and_its_output_answered(chat: Chat) -> None:
    give_tools(chat)
    talker = chat.talker()
    events = talker.events(create('[tool:open_cart {"all": true}]'))
    call = next(
        event.item for event in events if event.type == "thread.item.done" and event.item.type == "client_tool_call"
    )

    output = ThreadAddClientToolOutputParams(thread_id=call.thread_id, result={"cart": "open"})
    answered = talker.events(ThreadsAddClientToolOutputReq(params=output))

    assert (call.name, call.arguments, call.status) == ("open_cart", {"all": True}, "pending")
    assert "open" in said(answered)
    stored = history(talker, call.thread_id).data
    assert [item.status for item in stored if item.type == "client_tool_call"] == ["completed"]


def test_a_question_to_the_visitor_is_answered(chat: Chat) -> None:
    give_tools(chat)
    talker = chat.talker()
    events = talker.events(create("[ask]"))
    asked = next(
        event.item for event in events if event.type == "thread.item.done" and event.item.type == "structured_input"
    )

    answers = {question.id: StructuredInputAnswerSubmission(values=["blue"]) for question in asked.inputs}
    given = ThreadAddStructuredInputParams(
        thread_id=asked.thread_id, item_id=asked.id, input=StructuredInputSubmission(answers=answers)
    )
    answered = talker.events(ThreadsAddStructuredInputReq(params=given))

    assert "thread.item.replaced" in kinds(answered)
    assert said(answered)
    assert talker.ask(ThreadsAddStructuredInputReq(params=given)).code == "body_invalid"


def test_actions_reach_the_assistant(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    params = ThreadCustomActionParams(thread_id=thread_id, action=Action(type="rate", payload={"stars": 5}))

    answered = talker.events(ThreadsCustomActionReq(params=params))
    at_once = talker.ask(ThreadsSyncCustomActionReq(params=params))

    assert said(answered)
    assert SyncCustomActionResponse.model_validate_json(at_once.body).updated_item is None
    assert [item.type for item in history(talker, thread_id).data].count("hidden_context_item") == 0


def test_feedback_is_kept_and_the_last_word_counts(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    answered = history(talker, thread_id).data[1]

    for kind in ("positive", "negative"):
        params = ItemFeedbackParams(thread_id=thread_id, item_ids=[answered.id], kind=kind)
        assert talker.ask(ItemsFeedbackReq(params=params)).json == {}

    feedback = Feedback.objects.get()
    assert (feedback.item_id, feedback.kind) == (answered.id, "negative")


def test_dictation_is_refused_with_the_cure(chat: Chat, talker: Talker) -> None:
    params = InputTranscribeParams(audio_base64="AAAA", mime_type="audio/webm")

    answer = talker.ask(InputTranscribeReq(params=params))

    assert (answer.status, answer.code) == (400, "body_invalid")
    assert "dictation" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"", {}, "body_invalid"),
        (b"{}", {}, "body_invalid"),
        (b'{"type":"threads.create","params":{"input":"word-of-a-visitor"}}', {}, "body_invalid"),
        (b'{"type":"threads.burn","params":{}}', {}, "body_invalid"),
        (b"[" * 100_000, {}, "body_invalid"),
        (b"x" * (512 * 1024 + 1), {}, "body_too_large"),
        (b"{}", {"Content_Type": "text/plain"}, "content_type_invalid"),
        (b"{}", {"Authorization": ""}, "body_invalid"),
    ],
)
def test_what_is_no_request_is_refused_without_repeating_it(
    chat: Chat, talker: Talker, body: bytes, headers: dict[str, str], code: str
) -> None:
    answer = talker.ask(body, **headers)

    assert answer.code == code
    assert answer.headers["access-control-allow-origin"] == talker.origin
    assert "word-of-a-visitor" not in answer.body.decode() + chat.platform.log


@pytest.mark.parametrize("token", ["", "nonsense", "ct1.k.p.m", "vt1.k.p.m"])
def test_whoever_has_no_chat_token_gets_no_answer(chat: Chat, talker: Talker, token: str) -> None:
    talker.token = token

    answer = talker.ask(create())

    assert (answer.status, answer.code) == (401, "token_invalid")
    assert chat.sandbox.run_calls() == []


def test_a_token_counts_on_its_own_page_and_at_its_own_tenant_alone(chat: Chat, talker: Talker) -> None:
    talker.origin = "https://elsewhere.example"
    assert talker.ask(create()).code == "origin_not_allowed"


def test_a_preflight_is_answered_without_a_token(chat: Chat, talker: Talker) -> None:
    headers = {
        "Origin": talker.origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer: Answer = chat.platform.request("OPTIONS", talker.path, headers=headers)

    assert answer.status == 204
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"


def test_limits_are_told_by_a_status_in_the_tenants_own_words(chat: Chat) -> None:
    tenants = type(chat.shop.tenant).objects.filter(pk=chat.shop.tenant.pk)
    tenants.update(messages_per_minute_per_visitor=1, limit_text="Please call us: 555 0100.")
    chat.platform.wait_for_configuration()
    talker = chat.talker()
    talker.begin("one")

    answer = talker.ask(create("two"))

    assert (answer.status, answer.code) == (429, "rate_limited")
    assert answer.json["error"]["words"] == "Please call us: 555 0100."
    assert int(answer.headers["retry-after"]) >= 1


def test_a_tool_output_that_nobody_asked_for_is_out_of_turn(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin("one")
    params = ThreadAddClientToolOutputParams(thread_id=thread_id, result=1)

    assert talker.ask(ThreadsAddClientToolOutputReq(params=params)).code == "body_invalid"
