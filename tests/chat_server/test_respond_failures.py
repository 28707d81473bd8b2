"""What goes wrong between a message and its answer: visitors read words of ours, the ledger has a code, nothing is half there."""

import asyncio
import logging

import pytest

from tests.chat_server.run_cast import a_chat, a_key, an_agent, errors_in, kinds_of, text_of

pytestmark = pytest.mark.asyncio

SECRET_WORDS = "xylophone-in-the-attic"
WEATHER = {"name": "weather", "description": "", "parameters": {"type": "object", "properties": {}}}


def assert_whole(chat):
    """Every part of the conversation can be told, and no id is there twice."""
    assert len({item.id for item in chat.items}) == len(chat.items)
    for item in chat.items:
        assert item.type != "assistant_message" or text_of(item).strip()


@pytest.mark.parametrize("kind", ["stream_cut", "stream_end", "stream_malformed", "stream_failed", "stream_error"])
async def test_a_stream_that_fails_at_any_event_leaves_a_whole_conversation_and_may_be_tried_again(sandbox, kind):
    async with a_chat(sandbox) as plain:
        await plain.say("Do you ship?")
    [call] = sandbox.run_calls()

    for after in range(call["events"]):
        sandbox.fault(kind, options={"after": after})
        async with a_chat(sandbox) as chat:
            [error] = errors_in(await chat.say("Do you ship?"))
            shown = kinds_of(chat.items)
            assert_whole(chat)
            again = await chat.call("threads.retry_after_item", thread_id=chat.thread_id, item_id=chat.items[0].id)

        assert (error.code, error.allow_retry) == ("custom", True), after
        assert shown in (["user_message"], ["user_message", "assistant_message"]), after
        assert not errors_in(again)
        assert text_of(chat.items[-1]) == "You said: Do you ship?"
        assert len(chat.items) == 2
        assert chat.ledger.rows[0].outcome in ("upstream_unavailable", "upstream_invalid")


async def test_a_stream_that_falls_silent_is_given_up_with_words(sandbox):
    sandbox.fault("stream_stall", options={"after": 4})
    async with a_chat(sandbox, clients={"idle_seconds": 0.4}) as chat:
        [error] = errors_in(await chat.say("Do you ship?"))

    assert error.allow_retry is True
    assert (chat.row.outcome, chat.row.reason) == ("upstream_unavailable", "deadline")


async def test_a_stream_that_drips_ends_at_the_total_deadline(sandbox):
    sandbox.fault("stream_slow", options={"interval": 0.3})
    async with a_chat(sandbox, clients={"total_seconds": 1.0}) as chat:
        [error] = errors_in(await chat.say("[long]"))

    assert error.allow_retry is True
    assert (chat.row.outcome, chat.row.reason) == ("upstream_unavailable", "deadline")


async def test_an_endless_stream_is_cut_at_its_size(sandbox):
    async with a_chat(sandbox, clients={"max_stream": 3_000}) as chat:
        [error] = errors_in(await chat.say("x" * 2_000))

    assert error.allow_retry is True
    assert (chat.row.outcome, chat.row.reason) == ("upstream_invalid", "oversized")


@pytest.mark.parametrize(
    ("state", "code", "outcome", "may_retry"),
    [
        ("invalid", "", "tenant_misconfigured", False),
        ("billing", "insufficient_quota", "tenant_misconfigured", False),
        ("throttled", "", "upstream_throttled", True),
    ],
)
async def test_a_key_that_is_refused_is_told_as_unavailable_and_only_what_passes_may_be_tried_again(
    sandbox, state, code, outcome, may_retry
):
    key = sandbox.add_key()
    sandbox.set_key(key, state, code=code)
    async with a_chat(sandbox, keys=[a_key(key)], fallback_text="Call us: 2134 5678.") as chat:
        [error] = errors_in(await chat.say("hello"))

    assert (chat.row.outcome, error.allow_retry) == (outcome, may_retry)
    assert (error.message == "Call us: 2134 5678.") is not may_retry
    assert chat.row.input_tokens == chat.row.output_tokens == 0
    assert not chat.row.is_estimated


async def test_a_model_that_was_retired_reads_in_operator_words_in_the_ledger(sandbox):
    async with a_chat(sandbox, agent=an_agent(model="gpt-of-old")) as chat:
        [error] = errors_in(await chat.say("hello"))

    assert (chat.row.outcome, chat.row.reason) == ("tenant_misconfigured", "model_missing")
    assert error.allow_retry is False
    assert "gpt-of-old" not in error.message


async def test_a_condemned_key_is_never_asked(sandbox):
    async with a_chat(sandbox, keys=[a_key(sandbox.add_key(), problem="invalid_key")]) as chat:
        [error] = errors_in(await chat.say("hello"))

    assert sandbox.run_calls() == []
    assert (chat.row.outcome, chat.row.reason, error.allow_retry) == ("tenant_misconfigured", "invalid_key", False)


async def test_a_key_that_fails_again_and_again_is_left_alone_for_a_while(sandbox):
    async with a_chat(sandbox, keys=[a_key(sandbox.add_key(state="invalid"))]) as chat:
        for _ in range(7):
            await chat.say("hello")

    assert len(sandbox.run_calls()) == 5
    assert (chat.row.outcome, chat.row.reason) == ("tenant_misconfigured", "breaker_open")


async def test_no_other_key_takes_over_once_words_were_shown(sandbox):
    sandbox.fault("stream_error", options={"after": 5, "code": "rate_limit_exceeded"})
    async with a_chat(sandbox, keys=[a_key(sandbox.add_key()), a_key(sandbox.add_key())]) as chat:
        [error] = errors_in(await chat.say("hello there, good morning"))

    assert len(sandbox.run_calls()) == 1
    assert (chat.row.outcome, error.allow_retry) == ("upstream_throttled", True)


async def test_a_key_that_is_revoked_in_the_middle_lets_the_answer_end_and_refuses_the_next(sandbox):
    sandbox.fault("stream_revoke", options={"after": 3})
    async with a_chat(sandbox) as chat:
        first = await chat.say("hello")
        [error] = errors_in(await chat.say("and now?"))

    assert not errors_in(first)
    assert [row.outcome for row in chat.ledger.rows] == ["answered", "tenant_misconfigured"]
    assert error.allow_retry is False


async def test_a_page_function_that_is_called_for_ever_ends_at_the_most_turns(sandbox):
    async with a_chat(sandbox, agent=an_agent(client_tools=(WEATHER,), max_turns=2)) as chat:
        await chat.say("[tool:weather {}]")
        for _ in range(2):
            thread = chat.store.items[chat.thread_id]
            last = chat.items[-1]
            if last.type != "client_tool_call":
                thread[f"{last.id}-call"] = chat.items[1].model_copy(update={"id": f"{last.id}-call"})
            thread[chat.items[-1].id].status = "pending"
            events = await chat.call("threads.add_client_tool_output", thread_id=chat.thread_id, result={})

    [error] = errors_in(events)
    assert (chat.row.outcome, error.allow_retry) == ("too_many_turns", True)


@pytest.mark.parametrize(("most", "outcome", "turns"), [(1, "too_many_turns", 1), (2, "answered", 2)])
async def test_a_call_that_the_model_gets_wrong_goes_back_to_it_within_the_most_turns(sandbox, most, outcome, turns):
    async with a_chat(sandbox, agent=an_agent(ask_visitor=True, max_turns=most)) as chat:
        errors = errors_in(await chat.say("[tool:ask_visitor {}]"))

    assert (chat.row.outcome, chat.row.turns) == (outcome, turns)
    assert [error.allow_retry for error in errors] == [True] * (outcome != "answered")


async def test_a_message_that_is_too_long_is_refused_and_never_shown_to_the_model(sandbox):
    async with a_chat(sandbox, agent=an_agent(max_input_chars=20)) as chat:
        [error] = errors_in(await chat.say("x" * 15, quoted_text="y" * 6))
        refused = chat.row
        await chat.say("short")

    assert (refused.outcome, error.allow_retry) == ("message_too_long", False)
    assert "21 characters of at most 20" in error.message
    [body] = [call["body"] for call in sandbox.calls(path="/v1/responses")]
    assert [item["content"][0]["text"] for item in body["input"]] == ["short"]


async def test_no_word_of_the_visitor_or_of_openai_and_no_key_comes_into_the_log(sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    key = sandbox.add_key()
    for kind in ("stream_malformed", "stream_failed", "stream_error", "stream_cut"):
        sandbox.fault(kind, options={"after": 4, "message": f"quote {SECRET_WORDS}"})
        async with a_chat(sandbox, keys=[a_key(key)]) as chat:
            [error] = errors_in(await chat.say(f"I hide a {SECRET_WORDS}"))
            assert SECRET_WORDS not in error.message
    sandbox.set_key(key, "invalid")
    async with a_chat(sandbox, keys=[a_key(key)]) as chat:
        await chat.say(f"I hide a {SECRET_WORDS}")

    ours = [record for record in caplog.records if not record.name.startswith(("sandbox", "aiohttp", "asyncio"))]
    assert ours
    for record in ours:
        assert SECRET_WORDS not in record.getMessage() + str(record.exc_text)
        assert key not in record.getMessage()
        assert key[-4:] not in record.getMessage()


async def test_everybody_who_leaves_stops_their_run(sandbox):
    # A test before may have left one that falls silent.
    await _until(lambda: sandbox.runs()["running"] == 0)
    others = sandbox.runs()["left"]
    async with a_chat(sandbox) as first:
        chats = [first]
        for _ in range(19):
            chats.append(type(first)(first.models, first.base_url, first.keys, breakers=first.breakers))
        readers = [asyncio.create_task(chat.say("[long]")) for chat in chats]
        await _until(lambda: sandbox.runs()["running"] == 20)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await _until(lambda: sandbox.runs()["running"] == 0)

    assert sandbox.runs()["left"] - others == 20
    assert {chat.row.outcome for chat in chats} == {"cut"}


async def _until(fact, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not fact():
            await asyncio.sleep(0.02)
