"""Answers on their way: whoever leaves stops the model, whoever reads slowly slows it, and what was said so far is kept."""

import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from chatkit.types import ItemsListParams, ItemsListReq, ThreadRetryAfterItemParams, ThreadsRetryAfterItemReq
from django.db.models import F

from chat_server.models import ChatRun, Thread
from chat_server.turns import CLAIM_SECONDS
from tests.chat_server.chat_cast import Chat, Talker, add, create, said
from tests.chat_server.conftest import chat_environment
from tests.chat_server.test_conversation import history
from tests.platform_server import running_platform
from tests.tenants.cast import give_version

pytestmark = pytest.mark.django_db(transaction=True)


def begin_and_leave(talker: Talker, text: str = "[long]") -> str:
    with talker.stream(create(text)) as stream:
        thread_id = str(stream.until("thread.created").thread.id)
        for _ in range(5):
            stream.until("thread.item.updated")
        stream.leave()
    return thread_id


def parts_of(talker: Talker, thread_id: str, *, count: int, seconds: float = 5) -> list[Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        items = history(talker, thread_id).data
        if len(items) >= count:
            return list(items)
        time.sleep(0.1)
    raise AssertionError("what was said was not kept")


def test_leaving_stops_the_run_and_keeps_what_was_said(chat: Chat, talker: Talker) -> None:
    thread_id = begin_and_leave(talker)

    assert [call["outcome"] for call in chat.runs_that_end()] == ["left"]
    asked, answered = parts_of(talker, thread_id, count=2)
    assert asked.content[0].text == "[long]"
    assert answered.content[0].text
    assert said(talker.events(add(thread_id, "again"))) == "You said: again"
    outcomes = [(run.outcome, run.is_estimated) for run in ChatRun.objects.order_by("at")]
    assert outcomes == [("cut", True), ("answered", False)]


def test_a_slow_reader_slows_the_model_and_fills_no_memory(chat: Chat) -> None:
    give_version(chat.shop.assistant, max_output_tokens=128_000)
    chat.platform.wait_for_configuration()
    talker = chat.talker()
    before = resident(chat.platform.process.pid)
    body = create("[many 100000]").model_dump_json().encode()
    head = [f"POST {talker.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    head += [f"{name}: {value}" for name, value in talker.headers().items()]
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect(("127.0.0.1", chat.platform.port))
        wire.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        time.sleep(3)

        assert chat.sandbox.run_calls()[0]["outcome"] is None
        assert resident(chat.platform.process.pid) - before < 30_000
        # Others are served meanwhile.
        assert said(chat.talker().events(create("one"))) == "You said: one"
    ended = {call["text"]: call["outcome"] for call in chat.runs_that_end()}
    assert ended["[many 100000]"] == "left"
    # It was cancelled where it waited for room, and is saved all the same.
    first = Thread.objects.earliest("created_at").id
    assert [item.type for item in parts_of(talker, first, count=2)] == ["user_message", "assistant_message"]


def resident(pid: int) -> int:
    """KiB."""
    with open(f"/proc/{pid}/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmRSS")))


def test_a_silent_model_is_bridged_by_heartbeats(chat: Chat, talker: Talker) -> None:
    with talker.stream(create("[idle 17]"), timeout=40) as stream:
        events = list(stream)

    assert stream.heartbeats == 1
    assert events[-1].type != "error"


def test_a_server_that_ends_saves_what_was_said_and_another_goes_on(own_chat: Chat) -> None:
    talker = own_chat.talker()
    with talker.stream(create("[idle 60]")) as stream:
        thread_id = stream.until("thread.created").thread.id
        stream.until("thread.item.updated")
        began = time.monotonic()
        own_chat.platform.terminate()
        own_chat.platform.wait()
        took = time.monotonic() - began

    assert took < 20
    with running_platform(**chat_environment(own_chat.sandbox)) as platform:
        talker.platform = platform
        items = history(talker, thread_id).data
        assert [item.type for item in items] == ["user_message", "assistant_message"]
        assert said(talker.events(add(thread_id, "again"))) == "You said: again"


def test_a_server_that_is_killed_leaves_a_conversation_that_can_be_loaded_and_tried_again(own_chat: Chat) -> None:
    talker = own_chat.talker()
    with talker.stream(create("[idle 1]")) as stream:
        thread_id = stream.until("thread.created").thread.id
        stream.until("thread.item.updated")
        own_chat.platform.process.kill()
        own_chat.platform.process.wait()

    with running_platform(**chat_environment(own_chat.sandbox)) as platform:
        talker.platform = platform
        [asked] = history(talker, thread_id).data
        assert asked.type == "user_message"
        # For all that anybody knows the answer is still on its way, until nobody has said so for half a minute.
        again = ThreadsRetryAfterItemReq(params=ThreadRetryAfterItemParams(thread_id=thread_id, item_id=asked.id))
        assert talker.ask(again).code == "busy"
        Thread.objects.update(run_until=F("run_until") - timedelta(seconds=CLAIM_SECONDS))
        talker.events(again)
        assert [item.type for item in history(talker, thread_id).data] == ["user_message", "assistant_message"]


def test_one_tenants_streams_leave_room_for_others(sandbox, chat_shop) -> None:  # type: ignore[no-untyped-def]
    with running_platform(**chat_environment(sandbox), CHAT_STREAMS_TENANT="1") as platform:
        chat = Chat(platform, sandbox, chat_shop)
        talker = chat.talker()
        with talker.stream(create("[idle 60]")) as stream:
            stream.until("thread.item.updated")
            refused = talker.ask(create("two"))
            page = talker.ask(ItemsListReq(params=ItemsListParams(thread_id="thr_" + "0" * 32)))
        chat.runs_that_end()
        deadline = time.monotonic() + 3
        while (freed := talker.ask(create("three"))).status == 503 and time.monotonic() < deadline:
            time.sleep(0.1)

    assert (refused.status, refused.code, page.status) == (503, "busy", 404)
    assert freed.status == 200
