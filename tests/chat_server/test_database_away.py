"""The database goes while an answer comes: the visitor reads words and may try again, and the thread is whole afterwards."""

import time

import pytest

from sandbox.testing import Sandbox
from tests.chat_server.chat_cast import Chat, add, create, said
from tests.chat_server.conftest import chat_environment
from tests.chat_server.test_conversation import history
from tests.database_proxy import running_proxy
from tests.platform_server import running_platform
from tests.sessions_api.cast import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_answer_that_can_not_be_saved_says_so_and_may_be_tried_again(
    on_services: None, sandbox: Sandbox, chat_shop: Shop
) -> None:
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url, **chat_environment(sandbox)) as platform:
        talker = Chat(platform, sandbox, chat_shop).talker()
        with talker.stream(create("[long 40]")) as stream:
            thread_id = stream.until("thread.created").thread.id
            stream.until("thread.item.updated")
            proxy.cut()
            last = list(stream)[-1]
        meanwhile = talker.ask(add(thread_id))
        proxy.mend()
        until = time.monotonic() + 15
        while talker.ask(add(thread_id, "ping")).status != 200 and time.monotonic() < until:
            time.sleep(0.3)

        assert (last.type, last.code, last.allow_retry) == ("error", "custom", True)
        assert "try again" in last.message
        assert (meanwhile.status, meanwhile.code) == (503, "platform_unavailable")
        # The answer that could not be saved was dropped whole.
        assert [item.type for item in history(talker, thread_id).data][:2] == ["user_message", "user_message"]
        assert said(talker.events(add(thread_id, "again"))) == "You said: again"
