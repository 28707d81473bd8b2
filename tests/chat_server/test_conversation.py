"""The chat endpoint over real HTTP: every operation of ChatKit's protocol, asked with OpenAI's own types and answered in them."""


import pytest

from chat_server.models import Thread
from tests.chat_server.chat_cast import Chat, Talker, create, kinds, said

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_first_message_makes_a_conversation_and_is_answered(chat: Chat, talker: Talker) -> None:
    events = talker.events(create("good morning"))

    assert kinds(events)[:3] == ["thread.created", "thread.item.done", "stream_options"]
    assert said(events) == "You said: good morning"
    assert Thread.objects.get().id == events[0].thread.id
