"""Streams of the sandbox's model that go wrong, that are left, and that are many."""

import asyncio
import time

import httpx2
import openai
import pytest
from agents import Agent, ModelSettings, OpenAIResponsesModel, RunConfig, Runner

from tests.sandbox.test_responses import ask, key, kinds, sdk  # noqa: F401

DELTA = "response.output_text.delta"


def until(true, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return true()


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize("kind", ["stream_cut", "stream_end", "stream_failed", "stream_error"])
def test_a_stream_can_break_off_after_each_event(sandbox, sdk, kind, after):  # noqa: F811
    sandbox.fault(kind, options={"after": after})
    seen = []

    try:
        for event in ask(sdk, "Hello", stream=True):
            seen.append(event.type)
    except (httpx2.HTTPError, openai.APIError):
        pass

    told = [each for each in seen if each not in ("response.failed", "error")]
    assert len(told) == after
    assert "response.completed" not in seen
    [call] = sandbox.run_calls()
    assert (call["outcome"], call["events"], call["fault"]) == ("cut", after, kind)
    assert ask(sdk, "Hello").status == "completed"


def test_a_failed_run_names_the_code_it_was_given(sandbox, sdk):  # noqa: F811
    sandbox.fault("stream_failed", options={"after": 3, "code": "rate_limit_exceeded"})

    events = list(ask(sdk, "Hello", stream=True))

    assert events[-1].response.error.code == "rate_limit_exceeded"


def test_an_event_can_be_no_json(sandbox, sdk):  # noqa: F811
    sandbox.fault("stream_malformed", options={"after": 3})

    with pytest.raises(ValueError):  # noqa: PT011  (the SDK lets json's own error through)
        list(ask(sdk, "Hello", stream=True))


def test_a_stream_can_be_slow(sandbox, sdk):  # noqa: F811
    sandbox.fault("stream_slow", options={"interval": 0.05})
    started = time.monotonic()

    events = list(ask(sdk, "Hello", stream=True))

    assert time.monotonic() - started >= 0.05 * len(events)


def test_a_silent_stream_goes_on_after_its_time(sandbox, sdk):  # noqa: F811
    sandbox.fault("stream_stall", options={"after": 3, "seconds": 0.3})

    assert kinds(ask(sdk, "Hello", stream=True))[-1] == "response.completed"


def test_a_key_revoked_inside_a_stream_is_refused_at_the_next_call(sandbox, sdk):  # noqa: F811
    sandbox.fault("stream_revoke", options={"after": 3})

    assert kinds(ask(sdk, "Hello", stream=True))[-1] == "response.completed"
    with pytest.raises(openai.AuthenticationError):
        ask(sdk, "Hello")


@pytest.mark.parametrize("text", ["[long]", "[idle]"])
def test_whoever_leaves_stops_the_run(sandbox, sdk, text):  # noqa: F811
    stream = ask(sdk, text, stream=True)
    next(event for event in stream if event.type == DELTA)
    assert sandbox.runs()["running"] == 1

    stream.close()

    assert until(lambda: sandbox.runs()["running"] == 0)
    assert sandbox.runs() == {"running": 0, "finished": 0, "left": 1, "cut": 0}
    [call] = sandbox.run_calls(outcome="left")
    assert call["events"] < 20


def test_whoever_leaves_a_whole_answer_stops_the_run_too(sandbox, sdk):  # noqa: F811
    with pytest.raises(openai.APITimeoutError):
        ask(sdk, "[idle]", timeout=0.3)

    assert until(lambda: sandbox.runs() == {"running": 0, "finished": 0, "left": 1, "cut": 0})


def test_the_agents_sdk_runs_on_it_with_a_tool(sandbox, key):  # noqa: F811
    async def run():
        client = openai.AsyncOpenAI(api_key=key, base_url=sandbox.base_url, max_retries=0)
        model = OpenAIResponsesModel(model="gpt-sandbox", openai_client=client)
        agent = Agent(name="Shop", instructions="Sell.", model=model, model_settings=ModelSettings(store=False))
        result = Runner.run_streamed(agent, "Hello", run_config=RunConfig(tracing_disabled=True))
        seen = [event.data.type async for event in result.stream_events() if event.type == "raw_response_event"]
        await client.close()
        return seen, result.final_output, result.context_wrapper.usage

    seen, output, usage = asyncio.run(run())

    assert (seen[0], seen[-1], output) == ("response.created", "response.completed", "You said: Hello")
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


def test_many_keys_in_one_process_stay_apart(sandbox):
    keys = [sandbox.add_key(project=f"proj_{number}") for number in range(5)]

    async def run():
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:

            async def call(number):
                headers = {"Authorization": f"Bearer {keys[number % 5]}", "OpenAI-Project": f"proj_{number % 5}"}
                body = {"model": "gpt-sandbox", "input": f"[many 1] {number}", "stream": True}
                response = await client.post(f"{sandbox.base_url}/responses", headers=headers, json=body)
                return response.status_code

            return [await each for each in [asyncio.ensure_future(call(number)) for number in range(100)]]

    assert set(asyncio.run(run())) == {200}
    calls = sandbox.run_calls(outcome="finished")
    assert len(calls) == 100
    for call in calls:
        number = int(call["text"].split()[-1])
        assert (call["project"], call["last_four"]) == (f"proj_{number % 5}", keys[number % 5][-4:])
