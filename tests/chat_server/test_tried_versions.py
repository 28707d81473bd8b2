"""A version that an operator tries on the preview answers there and nowhere else; also before its assistant is switched."""

import time
from typing import Any

import pytest
from django.conf import settings

from audit.record import SYSTEM
from chat_server.models import ChatRun
from gateway.preview_tickets import mint_preview_ticket
from tenants.models import Assistant, AssistantKey, Verdict
from tenants.switch import switch_backend
from tenants.versions import publish, save_draft
from tests.chat_server.chat_cast import BACKENDS, Chat, Talker, create, kinds, said
from tests.tenants.cast import give_assistant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hosted(chat: Chat) -> Assistant:
    """On its way: the workflow is gone, and a draft is written."""
    assistant = give_assistant(chat.shop.tenant, chat.shop.key, slug="old", workflow_id="wf_gone")
    values = {"instructions": "Be brief.", "model": "gpt-sandbox-mini"}
    save_draft(assistant=assistant, values=values, actor=SYSTEM)
    AssistantKey.objects.filter(assistant=assistant).update(verdict=Verdict.WORKFLOW_MISSING)
    chat.platform.wait_for_configuration()
    return assistant


def talker_of(chat: Chat, assistant: Assistant, **call: Any) -> Talker:
    body = {"backends": BACKENDS, "assistant": assistant.slug}
    answer = chat.platform.post_session(chat.shop.public_id, body=body, **call)
    assert answer.status == 200, answer.body
    origin = call.get("origin", chat.shop.origin)
    return Talker(chat.platform, chat.shop.public_id, origin, answer.json["client_secret"])


def ticket_for(chat: Chat, assistant: Assistant) -> str:
    return mint_preview_ticket(
        tenant_public_id=chat.shop.public_id,
        assistant_slug=assistant.slug,
        now=int(time.time()),
        version_id=assistant.agent_versions.get(number=None).pk,
    )


def trying(chat: Chat, assistant: Assistant) -> Talker:
    headers = {"X-Preview-Ticket": ticket_for(chat, assistant)}
    return talker_of(chat, assistant, origin=settings.PREVIEW_ORIGIN, headers=headers)


def test_a_draft_answers_on_the_preview_while_the_assistant_is_hosted(chat: Chat, hosted: Assistant) -> None:
    events = trying(chat, hosted).events(create("hello"))

    assert "error" not in kinds(events)
    assert "You said: hello" in said(events)
    assert ChatRun.objects.get().model == "gpt-sandbox-mini"


def test_a_preview_reads_the_configuration_of_the_version_that_it_tries(chat: Chat, hosted: Assistant) -> None:
    tools = [{"name": "show_map", "description": "Shows a map.", "parameters": {"type": "object", "properties": {}}}]
    save_draft(assistant=hosted, values={"client_tools": tools}, actor=SYSTEM)
    hosted.accepted_file_types = ["image/jpeg"]
    hosted.save()
    chat.platform.wait_for_configuration()

    preview = configuration_of(
        chat, hosted, Origin=settings.PREVIEW_ORIGIN, **{"X-Preview-Ticket": ticket_for(chat, hosted)}
    )
    page = configuration_of(chat, hosted, Origin=chat.shop.origin)

    assert (preview["client_tools"], page["client_tools"]) == (["show_map"], [])
    assert preview["attachments"]["accept"] == {"image/jpeg": [".jpg", ".jpeg"]}
    # Of a hosted chat OpenAI decides.
    assert page["attachments"]["accept"] == {}


def configuration_of(chat: Chat, assistant: Assistant, **headers: str) -> dict[str, Any]:
    path = f"/api/v1/tenants/{chat.shop.public_id}/widget/?assistant={assistant.slug}"
    answer = chat.platform.request("GET", path, headers=headers)
    assert answer.status == 200, answer.body
    return dict(answer.json)


def test_what_is_prepared_tried_and_published_answers_after_the_switch(chat: Chat, hosted: Assistant) -> None:
    trying(chat, hosted).begin()
    publish(assistant=hosted, actor=SYSTEM)

    switch_backend(assistant=hosted, to="platform", actor=SYSTEM)
    chat.platform.wait_for_configuration()
    events = talker_of(chat, hosted).events(create("hello again"))

    assert "You said: hello again" in said(events)
