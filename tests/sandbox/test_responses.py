"""OpenAI's own SDK asks the sandbox's model: whole answers, streams, tools, refusals."""

import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

EIGHT = [
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
WEATHER = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
EVENT = TypeAdapter(ResponseStreamEvent)


@pytest.fixture
def key(sandbox):
    return sandbox.add_key()


@pytest.fixture
def sdk(sandbox, key):
    with openai.OpenAI(api_key=key, base_url=sandbox.base_url, max_retries=0, timeout=5.0) as sdk:
        yield sdk


def ask(sdk, text, **more):
    return sdk.responses.create(**{"model": "gpt-sandbox", "input": text, **more})


def kinds(events):
    return list(dict.fromkeys(event.type for event in events))


def test_a_whole_answer_echoes_the_visitor(sandbox, key, sdk):
    response = ask(sdk, "Do you ship to Malta?", store=False, previous_response_id="resp_of_old")

    assert (response.status, response.output_text) == ("completed", "You said: Do you ship to Malta?")
    assert (response.model, response.object) == ("gpt-sandbox", "response")
    [call] = sandbox.run_calls()
    assert (call["outcome"], call["status"], call["last_four"]) == ("finished", 200, key[-4:])


def test_a_stream_has_the_eight_events_in_their_order_and_each_is_valid(sandbox, sdk):
    events = list(ask(sdk, "Hello", stream=True))

    assert kinds(events) == EIGHT
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == EIGHT[3]) == "You said: Hello"
    for event in events:
        EVENT.validate_python(event.to_dict())
    [call] = sandbox.run_calls()
    assert (call["outcome"], call["events"], call["text"]) == ("finished", len(events), "Hello")


def test_the_sdks_own_reader_of_streams_puts_the_answer_together(sdk):
    with sdk.responses.stream(model="gpt-sandbox", input="Hello") as stream:
        final = stream.get_final_response()

    assert final.output_text == "You said: Hello"


def test_usage_counts_characters_and_finds_what_was_sent_before(sdk):
    first = ask(sdk, [{"role": "user", "content": "x" * 40}], instructions="y" * 40).usage
    said = [{"role": "user", "content": "x" * 40}, {"role": "assistant", "content": "z" * 40}]

    second = ask(sdk, [*said, {"role": "user", "content": "w" * 40}], instructions="y" * 40).usage

    assert (first.input_tokens, first.input_tokens_details.cached_tokens) == (20, 0)
    assert (second.input_tokens, second.input_tokens_details.cached_tokens) == (40, 20)
    assert first.output_tokens == (len("You said: ") + 40) // 4 + 1
    assert first.total_tokens == first.input_tokens + first.output_tokens


def test_a_function_is_called_and_its_output_is_told(sdk):
    events = list(ask(sdk, '[tool:weather {"city": "Valletta"}]', tools=[WEATHER], stream=True))

    assert "response.function_call_arguments.delta" in kinds(events)
    [call] = events[-1].response.output
    assert (call.type, call.name, call.arguments) == ("function_call", "weather", '{"city": "Valletta"}')
    for event in events:
        EVENT.validate_python(event.to_dict())
    history = [
        {"role": "user", "content": "[tool:weather {}]"},
        call.to_dict(),
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
    ]
    assert ask(sdk, history, tools=[WEATHER]).output_text == "The tool answered: sunny"


def test_a_question_to_the_visitor_fits_the_functions_schema(sdk):
    options = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"question": {"type": "string"}, "options": options}}
    tool = {"type": "function", "name": "ask_visitor", "parameters": schema, "strict": False}

    [call] = ask(sdk, "[ask]", tools=[tool]).output

    assert call.arguments == '{"question": "Which one would you like?", "options": ["Choice 1", "Choice 2"]}'
    assert ask(sdk, "[ask]").output_text == "You said: [ask]"


@pytest.mark.parametrize(
    ("word", "tool", "item"),
    [
        ("[search]", {"type": "file_search", "vector_store_ids": ["vs_sandbox_shop"]}, "file_search_call"),
        ("[web]", {"type": "web_search"}, "web_search_call"),
    ],
)
def test_a_search_is_made_when_it_is_offered(sdk, word, tool, item):
    events = list(ask(sdk, word, tools=[tool], stream=True))

    [search, message] = events[-1].response.output
    assert (search.type, search.status) == (item, "completed")
    assert message.content[0].annotations[0].type.endswith("_citation")
    for event in events:
        EVENT.validate_python(event.to_dict())
    assert [each.type for each in ask(sdk, word).output] == ["message"]


def test_the_limit_of_output_is_kept(sdk):
    events = list(ask(sdk, "[many 500]", max_output_tokens=16, stream=True))

    last = events[-1]
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert len(last.response.output_text) == 64
    assert last.response.usage.output_tokens == 16


def test_images_and_files_are_taken(sdk):
    content = [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
    ]

    response = ask(sdk, [{"role": "user", "content": content}])

    assert response.output_text == "You said: Look (with 1 image and 1 file)"
    assert response.usage.input_tokens == 201


def test_a_run_can_fail(sdk):
    events = list(ask(sdk, "[fail]", stream=True))

    assert kinds(events) == ["response.created", "response.failed"]
    assert events[-1].response.error.code == "server_error"
    assert ask(sdk, "[fail]").status == "failed"


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"model": "gpt-5"}, openai.NotFoundError, "model_not_found"),
        ({"max_output_tokens": 3}, openai.BadRequestError, "integer_below_min_value"),
        ({"input": []}, openai.BadRequestError, "invalid_type"),
        ({"input": [{"role": "robot", "content": "x"}]}, openai.BadRequestError, "invalid_value"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, openai.BadRequestError, None),
        (
            {"input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]},
            openai.BadRequestError,
            None,
        ),
        (
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            openai.BadRequestError,
            "invalid_value",
        ),
        ({"tools": [{"type": "file_search", "vector_store_ids": ["vs_foreign"]}]}, openai.NotFoundError, None),
    ],
)
def test_what_openai_would_refuse_is_refused_before_a_stream_begins(sdk, change, error, code):
    with pytest.raises(error) as caught:
        ask(sdk, "Hello", stream=True, **change) if "input" not in change else ask(
            sdk, stream=True, text=None, **change
        )

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        ("invalid", openai.AuthenticationError, "invalid_api_key"),
        ("unscoped", openai.AuthenticationError, None),
        ("billing", openai.RateLimitError, "insufficient_quota"),
        ("throttled", openai.RateLimitError, "rate_limit_exceeded"),
    ],
)
def test_a_key_is_checked_as_elsewhere(sandbox, key, sdk, state, error, code):
    sandbox.set_key(key, state)

    with pytest.raises(error) as caught:
        ask(sdk, "Hello", stream=True)

    assert caught.value.code == code
    assert sandbox.runs() == {"running": 0, "finished": 0, "left": 0, "cut": 0}


def test_a_model_can_be_taken_away(sandbox, sdk):
    assert sdk.models.retrieve("gpt-sandbox-mini").id == "gpt-sandbox-mini"

    sandbox.set_model("gpt-sandbox-mini", exists=False)

    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("gpt-sandbox-mini")
    with pytest.raises(openai.NotFoundError):
        ask(sdk, "Hello", model="gpt-sandbox-mini")
    assert [model.id for model in sdk.models.list()] == ["gpt-sandbox"]


def test_a_vector_store_belongs_to_its_project(sandbox, sdk):
    store = sdk.vector_stores.create(name="Prices")

    foreign = sandbox.add_key(project="proj_other")

    assert sdk.vector_stores.retrieve(store.id).name == "Prices"
    with openai.OpenAI(api_key=foreign, base_url=sandbox.base_url, max_retries=0) as other:
        with pytest.raises(openai.NotFoundError):
            other.vector_stores.retrieve(store.id)
        assert other.vector_stores.list().data == []
