"""From a visitor's message to an answer: OpenAI's server class above, the sandbox over real HTTP below."""

import asyncio

import pytest

from tests.chat_server.run_cast import a_chat, a_key, an_agent, errors_in, kinds_of, text_of

pytestmark = pytest.mark.asyncio

WEATHER = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


async def test_an_answer_streams_and_is_kept_and_charged(sandbox):
    async with a_chat(sandbox) as chat:
        events = await chat.say("Do you ship to Malta?")

    assert not errors_in(events)
    assert [text_of(item) for item in chat.items if item.type == "assistant_message"] == [
        "You said: Do you ship to Malta?"
    ]
    assert (chat.row.outcome, chat.row.turns, chat.row.is_estimated) == ("answered", 1, False)
    assert min(chat.row.input_tokens, chat.row.output_tokens) > 0
    assert chat.row.first_ms is not None
    [call] = sandbox.run_calls()
    assert call["outcome"] == "finished"


async def test_the_first_message_names_the_conversation(sandbox):
    async with a_chat(sandbox) as chat:
        events = await chat.say(
            "  Which   lock fits a bicycle that stands outside all winter in the rain, every night?"
        )

    [updated] = [event for event in events if event.type == "thread.updated"]
    assert updated.thread.title == "Which lock fits a bicycle that stands outside all winter…"


async def test_the_model_reads_what_was_said_before_oldest_first(sandbox):
    async with a_chat(sandbox) as chat:
        await chat.say("first")
        await chat.say("second")

    body = sandbox.calls(path="/v1/responses")[-1]["body"]
    said = [(item["role"], item["content"][0]["text"]) for item in body["input"]]
    assert said == [("user", "first"), ("assistant", "You said: first"), ("user", "second")]
    assert (body["store"], body["max_output_tokens"], body["model"]) == (False, 1500, "gpt-sandbox")
    assert body["instructions"] == "You sell bicycles."


async def test_a_page_function_is_called_and_its_answer_goes_on(sandbox):
    async with a_chat(sandbox, agent=an_agent(client_tools=(WEATHER,))) as chat:
        await chat.say('[tool:weather {"city": "Valletta"}]')
        call = chat.items[-1].model_copy()
        events = await chat.call("threads.add_client_tool_output", thread_id=chat.thread_id, result={"sky": "blue"})

    assert (call.name, call.arguments, call.status) == ("weather", {"city": "Valletta"}, "pending")
    assert not errors_in(events)
    assert "blue" in text_of(chat.items[-1])
    assert [row.outcome for row in chat.ledger.rows] == ["answered", "answered"]


async def test_a_question_to_the_visitor_is_put_and_its_answer_goes_on(sandbox):
    async with a_chat(sandbox, agent=an_agent(ask_visitor=True)) as chat:
        events = await chat.say("[ask]")
        [question] = [item for item in chat.items if item.type == "structured_input"]
        answers = {each.id: {"values": ["blue"]} for each in question.inputs}
        more = await chat.call(
            "threads.add_structured_input",
            thread_id=chat.thread_id,
            item_id=question.id,
            input={"status": "answered", "answers": answers},
        )

    assert not errors_in([*events, *more])
    assert question.status == "pending"
    assert question.inputs
    assert chat.items[-1].type == "assistant_message"
    assert "blue" in str(sandbox.calls(path="/v1/responses")[-1]["body"]["input"])


async def test_who_leaves_stops_the_run_at_openai(sandbox):
    async with a_chat(sandbox) as chat:
        reader = asyncio.create_task(chat.say("[long]"))
        await _until(lambda: sandbox.runs()["running"] == 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await _until(lambda: sandbox.runs()["left"] == 1)

    assert (chat.row.outcome, chat.row.is_estimated) == ("cut", True)


async def test_a_bad_first_key_hands_over_to_the_second(sandbox):
    bad, good = sandbox.add_key(state="invalid"), sandbox.add_key()
    async with a_chat(sandbox, keys=[a_key(bad), a_key(good)]) as chat:
        events = await chat.say("hello")

    assert not errors_in(events)
    assert [call["status"] for call in sandbox.run_calls()] == [401, 200]
    assert (chat.row.outcome, chat.row.key_id) == ("answered", chat.keys[1].id)


async def test_whoever_leaves_at_the_first_word_is_charged_for_the_whole_conversation(sandbox):
    """Else a long conversation would cost its budget next to nothing: each answer is left as soon as it begins."""
    async with a_chat(sandbox) as chat:
        for _ in range(3):
            await chat.say("x" * 3_900)
        told = chat.row.input_tokens
        reader = asyncio.create_task(chat.say("[long]"))
        await _until(lambda: sandbox.runs()["running"] == 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader

    assert (chat.row.outcome, chat.row.is_estimated) == ("cut", True)
    assert chat.row.input_tokens >= told


async def test_a_stream_that_is_cut_leaves_what_was_shown_and_may_be_tried_again(sandbox):
    sandbox.fault("stream_cut", options={"after": 5})
    async with a_chat(sandbox) as chat:
        [error] = errors_in(await chat.say("Do you ship to Malta and to Gozo, too?"))
        half = chat.items[-1]
        question = chat.items[0]
        again = await chat.call("threads.retry_after_item", thread_id=chat.thread_id, item_id=question.id)

    assert (error.code, error.allow_retry) == ("custom", True)
    assert half.type == "assistant_message"
    assert text_of(half)
    assert not errors_in(again)
    assert kinds_of(chat.items) == ["user_message", "assistant_message"]
    assert [row.outcome for row in chat.ledger.rows] == ["upstream_unavailable", "answered"]
    assert chat.ledger.rows[0].is_estimated


async def _until(fact, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.02)
