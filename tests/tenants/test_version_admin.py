"""The pages of what the platform serves: a draft is written, tried, published and taken back; the backend is switched."""

import json
import re
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from gateway.preview_tickets import read_preview_ticket
from tenants.models import AgentVersion, Assistant
from tenants.versions import VERSIONS, save_draft
from tests.console.conftest import PASSWORD
from tests.tenants.cast import give_assistant, give_chat, give_key, give_version, register
from tests.tenants.forms import errors_of, posted

pytestmark = pytest.mark.django_db
TOOL = {"name": "show_cart", "description": "Opens the cart.", "parameters": {"type": "object", "properties": {}}}


@pytest.fixture
def tenant():
    return register()


@pytest.fixture
def chat(tenant):
    return give_chat(tenant, give_key(tenant), is_default=True)


@pytest.fixture
def viewer(log_in):
    user = User.objects.create_user("vera", "", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_tenant", "view_assistant"]))
    return log_in(user)


def url(assistant, name="versions", *more):
    return reverse(f"admin:tenants_assistant_{name}", args=[assistant.pk, *more])


def shown(client, assistant):
    return client.get(url(assistant)).content.decode()


def typed(client, assistant, **changes):
    """What a browser sends of the draft's form."""
    form = client.get(url(assistant)).context["form"]
    data = {name: form[name].value() for name in form.fields}
    sent = {name: "on" if value is True else value for name, value in data.items() if value not in (None, False)}
    return {name: value for name, value in (sent | changes).items() if value is not None}


def save(client, assistant, **changes):
    return client.post(url(assistant), typed(client, assistant, **changes))


class TestTheDraft:
    def test_it_begins_as_what_is_published_and_says_what_it_changes(self, console, chat):
        answer = save(
            console,
            chat,
            instructions="Be brief.\r\nAlways.",
            web_search="on",
            vector_store_ids="vs_1\r\n  vs_2 \r\n",
            client_tools=json.dumps([TOOL]),
            note="shorter",
        )

        assert answer.status_code == 302
        draft = VERSIONS.draft_of(chat)
        assert (draft.instructions, draft.model, draft.web_search) == ("Be brief.\nAlways.", "gpt-sandbox", True)
        assert (draft.vector_store_ids, draft.client_tools) == (["vs_1", "vs_2"], [TOOL])
        assert (draft.created_by, draft.note) == ("ada", "shorter")
        page = shown(console, chat)
        assert "What the draft would change" in page
        assert "You help customers of a shop." in page
        assert "&quot;name&quot;: &quot;show_cart&quot;" in page.split("The draft</h2>")[0]
        assert [each.field for each in console.get(url(chat)).context["differences"]] == [
            *("instructions", "vector_store_ids", "web_search", "client_tools"),
        ]

    def test_saving_it_again_as_it_is_shown_changes_nothing(self, console, chat):
        save(console, chat, instructions="Be brief.", vector_store_ids="vs_1", client_tools=json.dumps([TOOL]))
        before = AuditEvent.objects.count()

        save(console, chat)

        assert AuditEvent.objects.count() == before

    @pytest.mark.parametrize(
        ("changes", "cure"),
        [
            ({"instructions": " "}, "required"),
            ({"model": "a model"}, "no blanks"),
            ({"vector_store_ids": "file_1"}, "starts with “vs_”"),
            ({"client_tools": "show_cart"}, "valid JSON"),
            ({"client_tools": json.dumps([{**TOOL, "name": "web_search"}])}, "built-in tool"),
            ({"max_turns": "51"}, "50"),
            ({"instructions": "Use sk-" + "abcdefgh1234"}, "looks like a key"),
        ],
    )
    def test_what_could_not_answer_is_said_at_its_field(self, console, chat, changes, cure):
        answer = save(console, chat, **changes)

        assert answer.status_code == 200
        messages = " ".join(text for texts in answer.context["form"].errors.values() for text in texts)
        assert cure in messages
        assert VERSIONS.draft_of(chat) is None

    def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(self, console, chat):
        stale = typed(console, chat, instructions="Mine.")
        save_draft(assistant=chat, values={"instructions": "Theirs."}, actor=SYSTEM)
        begun = console.post(url(chat), stale)
        opened = typed(console, chat, instructions="Mine.")
        save_draft(assistant=chat, values={"model": "gpt-sandbox-mini"}, actor=SYSTEM)

        written = console.post(url(chat), opened)

        assert "began a draft meanwhile" in str(begun.context["form"].errors)
        assert "changed this meanwhile: Model" in str(written.context["form"].errors)
        assert VERSIONS.draft_of(chat).instructions == "Theirs."

    def test_preparing_makes_a_first_one(self, console, tenant):
        hosted = give_assistant(tenant, give_key(tenant))

        console.post(url(hosted, "prepare"))

        assert VERSIONS.draft_of(hosted).created_by == "ada"


class TestPublishing:
    def test_publish_and_roll_back(self, console, chat):
        save(console, chat, instructions="Be brief.")
        console.post(url(chat, "publish"), {"note": "shorter"})
        chat.refresh_from_db()
        published = chat.published_version
        page = shown(console, chat)

        console.post(url(chat, "roll_back", 1))
        chat.refresh_from_db()

        assert (published.number, published.note, published.created_by) == (2, "shorter", "ada")
        assert "Roll back to version 1" in page
        assert chat.published_version.number == 1
        assert "Publish again version 2" in shown(console, chat)

    def test_what_is_not_there_is_said(self, console, chat):
        nothing = console.post(url(chat, "publish"), follow=True).content.decode()
        nobody = console.post(url(chat, "roll_back", 7), follow=True).content.decode()

        assert "no draft to publish" in nothing
        assert "no version 7" in nobody

    def test_nothing_happens_by_opening_an_address(self, console, chat):
        assert [console.get(url(chat, name, *more)).status_code for name, *more in DEEDS] == [404] * len(DEEDS)


DEEDS = [("prepare",), ("publish",), ("roll_back", 1)]


class TestTryingIt:
    def test_any_version_opens_on_the_preview_s_host(self, console, chat):
        draft = save_draft(assistant=chat, values={"instructions": "Be brief."}, actor=SYSTEM)
        data = {"assistant": "chat", "version": str(draft.pk)}
        assert f'value="{draft.pk}"' in shown(console, chat)

        answer = console.post(reverse("tenant-preview", args=[chat.tenant.pk]), data)

        address = unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())[1])
        (ticket,) = parse_qs(urlsplit(address).query)["ticket"]
        read = read_preview_ticket(ticket, tenant_public_id=chat.tenant.public_id, now=int(time.time()))
        assert (read.assistant_slug, read.version_id) == ("chat", draft.pk)
        event = AuditEvent.objects.get(action="preview:opened")
        assert event.changes == {"assistant": "chat", "version": "draft"}

    @pytest.mark.parametrize("foreign", [True, False])
    def test_a_version_of_another_assistant_opens_nothing(self, console, chat, foreign):
        other = give_chat(register("Birch"))
        version = str(other.published_version.pk) if foreign else "nonsense"

        answer = console.post(
            reverse("tenant-preview", args=[chat.tenant.pk]), {"assistant": "chat", "version": version}
        )

        assert answer.status_code == 404
        assert not AuditEvent.objects.filter(action="preview:opened").exists()


class TestSwitching:
    def test_the_page_says_what_stands_in_the_way_and_refuses(self, console, tenant):
        hosted = give_assistant(tenant, give_key(tenant))

        page = console.get(url(hosted, "switch")).content.decode()
        answer = console.post(url(hosted, "switch"), {"to": "platform"}, follow=True).content.decode()

        hosted.refresh_from_db()
        assert "No version is published" in page
        assert "No version is published" in answer
        assert hosted.backend == "hosted_workflow"

    def test_it_switches_there_and_back_and_not_by_being_pressed_twice(self, console, tenant):
        hosted = give_assistant(tenant, give_key(tenant))
        give_version(hosted)

        for _ in range(2):
            console.post(url(hosted, "switch"), {"to": "platform"})
        hosted.refresh_from_db()
        there = (hosted.backend, hosted.credential_epoch)
        console.post(url(hosted, "switch"), {"to": "hosted_workflow"})
        hosted.refresh_from_db()

        assert there == ("platform", 1)
        assert hosted.backend == "hosted_workflow"
        assert AuditEvent.objects.filter(action="assistant:backend_switched", actor="ada").count() == 2


class TestTheAssistantsPage:
    def test_one_that_the_platform_serves_needs_no_workflow(self, console, tenant):
        add = f"{reverse('admin:tenants_assistant_add')}?tenant={tenant.pk}"

        posted(console, add, name="Chat", slug="chat", backend="platform")

        chat = Assistant.objects.get()
        assert (chat.backend, chat.workflow_id) == ("platform", "")
        page = console.get(url(chat, "change")).content.decode()
        assert "Nothing is published" in page
        assert url(chat) in page

    def test_a_hosted_one_does_and_is_told_so_at_the_field(self, console, tenant):
        add = f"{reverse('admin:tenants_assistant_add')}?tenant={tenant.pk}"

        answer = posted(console, add, name="Help", slug="help", workflow_id="")

        assert "needs the ID of its workflow" in errors_of(answer)
        assert not Assistant.objects.exists()

    def test_the_backend_is_not_changed_by_the_form(self, console, chat):
        posted(console, url(chat, "change"), backend="hosted_workflow", workflow_id="wf_1")

        chat.refresh_from_db()
        assert (chat.backend, chat.workflow_id) == ("platform", "wf_1")


class TestWhoMayOnlyLook:
    def test_sees_versions_and_can_do_nothing(self, viewer, chat):
        save_draft(assistant=chat, values={"instructions": "Be brief."}, actor=SYSTEM)

        page = shown(viewer, chat)
        answers = [viewer.post(url(chat, name, *more)).status_code for name, *more in [*DEEDS, ("versions",)]]

        assert "Version 1" in page
        assert "Save the draft" not in page
        assert "Publish</button>" not in page
        assert answers == [403] * 4
        assert viewer.post(url(chat, "switch"), {"to": "hosted_workflow"}).status_code == 403
        assert AgentVersion.objects.count() == 2

    def test_strangers_see_nothing(self, client, chat):
        assert client.get(url(chat)).status_code == 302


def test_the_pages_keep_to_the_console_s_policy(console, chat):
    save_draft(assistant=chat, values={"instructions": "<script>alert(1)</script>"}, actor=SYSTEM)
    for name in ("versions", "switch"):
        answer = console.get(url(chat, name))
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "script-src" in answer["Content-Security-Policy"] or "default-src" in answer["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|\sstyle=|\son[a-z]+=", page)
        assert "<script>alert(1)" not in page


def test_a_draft_is_discarded_and_the_next_one_begins_as_what_is_published(console, chat):
    published = VERSIONS.published_of(chat)
    save(console, chat, instructions="Never said.")

    answer = console.post(url(chat, "discard"), follow=True)

    assert "The draft is discarded" in answer.content.decode()
    assert VERSIONS.draft_of(chat) is None
    assert VERSIONS.published_of(chat) == published
    assert answer.context["form"]["instructions"].value() == published.instructions
    event = AuditEvent.objects.get(action="version:discarded")
    assert event.changes["fields"] == ["instructions"]
    assert "Never said" not in str(event.changes)
    assert "no draft to discard" in console.post(url(chat, "discard"), follow=True).content.decode()


def test_a_draft_is_discarded_by_nobody_who_may_only_look(viewer, chat):
    save_draft(assistant=chat, values={"instructions": "Kept."}, actor=SYSTEM)

    assert viewer.post(url(chat, "discard")).status_code == 403
    assert viewer.get(url(chat, "discard")).status_code == 404
    assert VERSIONS.draft_of(chat) is not None
