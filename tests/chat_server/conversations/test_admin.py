"""Conversations in the console: looked up by whose they are, counted, never shown and never written."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.record import SYSTEM
from chat_server import conversations
from chat_server.models import Thread
from console.groups import setup_groups
from tests.chat_server.conversations.talk import Talker

pytestmark = pytest.mark.django_db

LIST = reverse("admin:chat_server_thread_changelist")


def logged_in(client: Any, users: Any, group: str) -> Any:
    setup_groups(actor=SYSTEM)
    user = users.objects.create_user(group.split()[0].lower(), is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name=group))
    client.force_login(user)
    return client


@pytest.fixture
def operator(client: Any, django_user_model: Any) -> Any:
    return logged_in(client, django_user_model, "Operators")


def page_of(thread_id: str) -> str:
    return reverse("admin:chat_server_thread_change", args=[thread_id])


def test_the_list_and_the_page_tell_whose_how_many_and_when_and_nothing_of_what(operator: Any, ann: Talker) -> None:
    thread = ann.says("a question of mine", "an answer", title="my own title")
    ann.sends(thread_id=thread, name="my own file.png")

    pages = [operator.get(LIST), operator.get(page_of(thread))]

    for page in pages:
        text = page.content.decode()
        assert "Acorn" in text
        assert ann.owner.visitor_ref[:8] in text
        for said in ("question of mine", "an answer", "own title", "own file"):
            assert said not in text
    assert "2 user_message" in pages[1].content.decode()
    [row] = pages[0].context["cl"].result_list
    assert (row.item_count, row.file_count) == (2, 1)


def test_one_is_found_by_its_visitor_and_by_its_id(operator: Any, ann: Talker) -> None:
    mine, other = ann.says("hello"), ann.another().says("hello")

    def found(typed: str) -> set[str]:
        return {row.pk for row in operator.get(LIST, {"q": typed}).context["cl"].result_list}

    assert found(ann.owner.visitor_ref) == {mine}
    assert found(other) == {other}
    assert found("hello") == set()
    assert found("") == {mine, other}


def test_the_number_of_queries_does_not_grow_with_the_list(operator: Any, ann: Talker) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert operator.get(LIST).status_code == 200
        return len(caught)

    ann.says("one")
    few = queries()
    for _ in range(10):
        ann.says("more")

    assert queries() == few


def test_nobody_writes_here_and_only_who_may_erase_is_led_to_the_erasure(
    operator: Any, client: Any, django_user_model: Any, ann: Talker
) -> None:
    thread = ann.says("hello")
    for_operators = operator.get(page_of(thread)).content.decode()
    for_admins = logged_in(client, django_user_model, "Site admins").get(page_of(thread)).content.decode()
    deleted = client.post(reverse("admin:chat_server_thread_delete", args=[thread]), {"post": "yes"})
    changed = client.post(page_of(thread), {"id": thread})
    client.post(LIST, {"action": "delete_selected", "_selected_action": [thread]})

    assert "Erase this visitor" not in for_operators
    assert f"?ref={ann.owner.visitor_ref}" in for_admins
    assert (deleted.status_code, changed.status_code) == (403, 403)
    assert Thread.objects.filter(pk=thread).exists()
    assert conversations.read_thread(ann.owner, thread) == b"a title"
