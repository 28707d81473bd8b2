"""Limits, budgets and the ledger over real HTTP: what a page is told, and what is written down."""

import time

import pytest

from audit.record import SYSTEM
from chat_server.models import ChatRun
from gateway.models import OpsScope
from gateway.ops_tokens import issue_ops_token
from sandbox.testing import Sandbox
from tests.chat_server.chat_cast import Chat, add, create
from tests.chat_server.conftest import open_chat_shop
from tests.chat_server.metered import give_price
from tests.platform_server import Platform

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def limited(request: pytest.FixtureRequest, same_site: None, shared_chat_platform: Platform, sandbox: Sandbox) -> Chat:
    """The tenant has the limits that the test names."""
    return Chat(shared_chat_platform, sandbox, open_chat_shop(sandbox, limit_text="Tomorrow again.", **request.param))


def runs(count: int) -> list[ChatRun]:
    """A stream ends a moment before its row is written."""
    for _ in range(100):
        if ChatRun.objects.count() >= count:
            break
        time.sleep(0.05)
    return list(ChatRun.objects.order_by("at"))


@pytest.mark.parametrize("limited", [{"messages_per_minute_per_visitor": 1}], indirect=True)
def test_too_many_messages_are_told_in_the_tenants_words_and_written_down(limited: Chat) -> None:
    talker = limited.talker()
    thread = talker.begin()

    answer = talker.ask(add(thread))

    assert answer.status == 429
    error = answer.json["error"]
    assert (error["code"], error["words"]) == ("rate_limited", "Tomorrow again.")
    assert "Wait for retry_after seconds" in error["message"]
    assert answer.headers["retry-after"] == str(error["retry_after"])
    assert [(row.outcome, row.reason) for row in runs(2)] == [("answered", ""), ("rate_limited", "chat_visitor")]


@pytest.mark.parametrize("limited", [{"tokens_per_day_per_visitor": 5}], indirect=True)
def test_a_visitor_whose_tokens_are_used_up_waits_and_another_goes_on(limited: Chat) -> None:
    talker = limited.talker()
    thread = talker.begin("Please tell me about your bicycles, at some length.")
    [row] = runs(1)
    assert row.input_tokens + row.output_tokens >= 5

    answer = talker.ask(add(thread))
    limited.talker().begin()

    assert (answer.status, answer.json["error"]["code"]) == (429, "quota_exceeded")
    assert answer.json["error"]["words"] == "Tomorrow again."
    assert [row.outcome for row in runs(3)] == ["answered", "quota_exceeded", "answered"]


def test_a_run_costs_what_the_price_table_says(own_chat: Chat) -> None:
    """In a process of its own, which reads the table at its first run."""
    give_price("gpt-sandbox", dollars=("2", "0.5", "8"))

    own_chat.talker().begin()

    [row] = runs(1)
    plain = row.input_tokens - row.cached_tokens
    exact = plain * 2 + row.cached_tokens * 0.5 + row.output_tokens * 8
    assert row.cost_microdollars is not None
    assert abs(row.cost_microdollars - exact) <= 0.5
    assert exact > 0


def test_a_visitor_who_leaves_in_the_middle_is_an_estimate_and_its_stream_was_counted_while_open(chat: Chat) -> None:
    _, text = issue_ops_token(label="prometheus", scopes=[OpsScope.METRICS_READ], actor=SYSTEM)
    bearer = {"Authorization": f"Bearer {text}"}
    with chat.talker().stream(create("[long]")) as stream:
        for _ in range(3):
            stream.until("thread.item.updated")
        scraped = chat.platform.request("GET", "/metrics", headers=bearer).body.decode()
        stream.leave()

    [row] = runs(1)
    assert (row.outcome, row.is_estimated) == ("cut", True)
    assert row.input_tokens > 0
    assert 0 < row.output_tokens < 200
    assert "chatkit_open_streams 1.0" in scraped
