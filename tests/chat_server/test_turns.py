"""Two answers at once in one conversation: the second waits a moment, then is told that it is busy; the order stays."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from chatkit.types import ThreadRetryAfterItemParams, ThreadsRetryAfterItemReq
from django.utils import timezone

from chat_server import turns
from chat_server.conversations import NoSuchRow
from chat_server.models import ChatRun, Thread
from chat_server.serving.turn_keeper import TurnKeeper
from chat_server.turns import CLAIM_SECONDS, ENVELOPE, Turn
from gateway.database_threads import DatabaseThreads
from tests.chat_server.chat_cast import Chat, Talker, add, create, said
from tests.chat_server.conftest import chat_environment
from tests.chat_server.conversations.talk import Talker as Author
from tests.chat_server.test_conversation import history
from tests.platform_server import Platform, running_platform
from tests.tenants.cast import give_chat, give_key, give_version, register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def second_process(chat: Chat) -> Iterator[Platform]:
    with running_platform(**chat_environment(chat.sandbox)) as platform:
        yield platform


def retry(thread_id: str, item_id: str) -> ThreadsRetryAfterItemReq:
    return ThreadsRetryAfterItemReq(params=ThreadRetryAfterItemParams(thread_id=thread_id, item_id=item_id))


def test_a_second_message_while_an_answer_comes_is_refused_in_every_process(
    chat: Chat, talker: Talker, second_process: Platform
) -> None:
    elsewhere = Talker(second_process, talker.public_id, talker.origin, talker.token)
    with talker.stream(create("[idle 60]")) as stream:
        thread_id = str(stream.until("thread.created").thread.id)
        question = stream.until("thread.item.done").item.id
        stream.until("thread.item.updated")

        here, there = talker.ask(add(thread_id)), elsewhere.ask(add(thread_id))
        again = elsewhere.ask(retry(thread_id, question))
        aside = elsewhere.ask(create("another conversation"))
        stream.leave()

    assert [(answer.status, answer.code) for answer in (here, there, again)] == [(503, "busy")] * 3
    assert here.headers["retry-after"] == "1"
    assert aside.status == 200
    assert said(elsewhere.events(add(thread_id, "now"))) == "You said: now"
    kinds = [item.type for item in history(talker, thread_id).data]
    assert kinds == ["user_message", "assistant_message", "user_message", "assistant_message"]
    assert Thread.objects.get(pk=thread_id).run_until is None
    assert not ChatRun.objects.filter(outcome="busy").exists()


def test_whoever_stops_an_answer_may_write_at_once(chat: Chat, talker: Talker) -> None:
    with talker.stream(create("[long]")) as stream:
        thread_id = str(stream.until("thread.created").thread.id)
        stream.until("thread.item.updated")
        stream.leave()

    assert said(talker.events(add(thread_id, "again"))) == "You said: again"
    assert [item.type for item in history(talker, thread_id).data][-2:] == ["user_message", "assistant_message"]


def test_a_message_that_meets_a_limit_leaves_the_conversation_free(chat: Chat, talker: Talker) -> None:
    thread_id = talker.begin()
    chat.shop.tenant.messages_per_minute_per_visitor = 1
    chat.shop.tenant.save()
    chat.platform.wait_for_configuration()
    talker.ask(add(thread_id))

    assert talker.ask(add(thread_id)).status == 429
    assert Thread.objects.get(pk=thread_id).run_until is None


@pytest.fixture
def author() -> Author:
    tenant = register("Birch")
    return Author.at(tenant, give_chat(tenant, give_key(tenant)))


@pytest.fixture
def thread_id(author: Author) -> str:
    return author.says("hello")


def test_a_turn_is_one_holders_until_it_is_given_back(author: Author, thread_id: str) -> None:
    mine, other = Turn(thread_id), Turn(thread_id)

    assert turns.claim(author.owner, mine) is not None
    assert turns.claim(author.owner, mine) is not None
    assert turns.claim(author.owner, other) is None
    turns.release(other)
    assert turns.claim(author.owner, other) is None
    turns.release(mine)
    assert turns.claim(author.owner, other) is not None


def test_the_turn_of_a_process_that_was_killed_expires(author: Author, thread_id: str) -> None:
    killed = Turn(thread_id)
    turns.claim(author.owner, killed)
    Thread.objects.filter(pk=thread_id).update(run_until=timezone.now() - timedelta(seconds=1))

    heir = Turn(thread_id)
    assert turns.claim(author.owner, heir) is not None
    # Should it live after all, it takes nothing back.
    turns.renew([killed])
    turns.release(killed)
    row = Thread.objects.get(pk=thread_id)
    assert row.run_holder == heir.holder
    assert row.run_until > timezone.now() + timedelta(seconds=CLAIM_SECONDS / 2)


def test_nobody_takes_the_turn_in_anothers_conversation(author: Author, thread_id: str) -> None:
    with pytest.raises(NoSuchRow):
        turns.claim(author.another().owner, Turn(thread_id))
    assert Thread.objects.get(pk=thread_id).run_until is None


def test_a_turn_is_renewed_while_it_is_held(author: Author, thread_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat_server.serving.turn_keeper.RENEW_SECONDS", 0.05)
    turn = Turn(thread_id)
    turns.claim(author.owner, turn)
    nearly_over = timezone.now() + timedelta(seconds=1)
    Thread.objects.filter(pk=thread_id).update(run_until=nearly_over)

    async def hold() -> None:
        keeper = TurnKeeper(threads)
        keeper.open()
        keeper.hold(turn)
        await asyncio.sleep(0.5)
        await keeper.close()

    threads = DatabaseThreads("turns", size=1)
    try:
        asyncio.run(hold())
    finally:
        threads.close(seconds=5)
    assert Thread.objects.get(pk=thread_id).run_until > nearly_over


@pytest.mark.parametrize("chars", [0, 4_000])
def test_a_turn_tells_about_how_long_the_conversation_is(author: Author, chars: int) -> None:
    thread_id = author.says(*["x" * chars] * 5)

    told = turns.claim(author.owner, Turn(thread_id))

    assert told is not None
    assert 5 * chars - 5 * ENVELOPE <= told <= 5 * chars + 5 * ENVELOPE


def test_what_was_said_before_is_reserved_with_the_next_message(chat: Chat) -> None:
    """Else a long conversation would take many times what was kept for it."""
    give_version(chat.shop.assistant, max_input_chars=20_000)
    chat.platform.wait_for_configuration()
    talker = chat.talker()
    thread_id = talker.begin("A long story. " * 1_000)
    with talker.stream(add(thread_id, "[long]")) as stream:
        stream.until("thread.item.updated")
        stream.leave()
    until = time.monotonic() + 5
    while ChatRun.objects.count() < 2 and time.monotonic() < until:
        time.sleep(0.05)

    first, cut = ChatRun.objects.order_by("at")
    assert (cut.outcome, cut.is_estimated) == ("cut", True)
    assert first.input_tokens > 3_000
    assert cut.input_tokens > first.input_tokens + first.output_tokens
