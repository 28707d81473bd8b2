"""What a visitor may put into a conversation: nothing that is far too large is kept, nor shown to the model."""

from typing import Any

import pytest
from chatkit.types import (
    ThreadAddClientToolOutputParams,
    ThreadsAddClientToolOutputReq,
    ThreadsUpdateReq,
    ThreadUpdateParams,
    UserMessageTagContent,
)

from sandbox.testing import Sandbox
from tests.chat_server.chat_cast import Chat, add, create

pytestmark = pytest.mark.django_db(transaction=True)


def tagged(*, data: int, tags: int = 1) -> Any:
    request = create("")
    request.params.input.content = [
        UserMessageTagContent(id="t", text="tag", data={"x": "y" * data}) for _ in range(tags)
    ]
    return request


def test_a_message_that_is_far_too_long_is_not_kept(chat: Chat, sandbox: Sandbox) -> None:
    visitor = chat.talker()
    thread = visitor.begin()
    before = len(sandbox.run_calls())

    answers = [visitor.ask(each) for each in (create("x" * 100_000), add(thread, "x" * 100_000), tagged(data=100_000))]

    assert [(answer.status, answer.code) for answer in answers] == [(413, "body_too_large")] * 3
    assert "4,000 characters" in answers[0].json["error"]["message"]
    assert len(sandbox.run_calls()) == before


def test_what_the_model_is_shown_of_tags_counts_as_the_message_does(chat: Chat, sandbox: Sandbox) -> None:
    visitor = chat.talker()
    before = len(sandbox.run_calls())

    [*_, last] = visitor.events(tagged(data=1_900, tags=3))

    assert last.type == "error"
    assert "too long" in last.message
    assert len(sandbox.run_calls()) == before


def test_a_title_has_200_characters_at_most(chat: Chat) -> None:
    visitor = chat.talker()
    thread = visitor.begin()

    def titled(title: str) -> Any:
        return visitor.ask(ThreadsUpdateReq(params=ThreadUpdateParams(thread_id=thread, title=title)))

    assert titled("t" * 200).status == 200
    assert (titled("t" * 201).status, titled("t" * 201).code) == (413, "body_too_large")


def test_a_functions_result_is_bounded_and_one_that_nobody_waits_for_is_told_so(chat: Chat) -> None:
    visitor = chat.talker()
    thread = visitor.begin()

    def result(size: int) -> Any:
        params = ThreadAddClientToolOutputParams(thread_id=thread, result={"found": "x" * size})
        return visitor.ask(ThreadsAddClientToolOutputReq(params=params))

    too_large, out_of_turn = result(60_000), result(10)

    assert (too_large.status, too_large.code) == (413, "body_too_large")
    assert (out_of_turn.status, out_of_turn.code) == (400, "body_invalid")
    assert "load it again" in out_of_turn.json["error"]["message"]
