"""A session with what the platform serves itself: the same call and the same answer, with a token of our own."""

import time
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from audit.record import SYSTEM
from gateway.chat_tokens import ChatGrant, read_chat_token
from gateway.preview_tickets import mint_preview_ticket
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest, VisitorLink
from tenants.domains import allow_domain
from tenants.keys import retire_key
from tenants.models import ApiKey, Assistant, AssistantKey, Tenant, Verdict
from tenants.versions import save_draft
from tests.platform_server import Answer, Platform
from tests.sessions_api.cast import ORIGIN, Shop, open_shop
from tests.sessions_api.endpoint.test_end_session import sign_out
from tests.tenants.cast import give_assistant, give_chat, give_key, register

BOTH = ["hosted_workflow", "platform"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def chat(same_site: None, sandbox: Sandbox) -> Shop:
    tenant = register("Cedar")
    key_text = sandbox.add_key(workflows=[])
    key = give_key(tenant, key_text)
    assistant = give_chat(tenant, key, is_default=True)
    allow_domain(tenant=tenant, text=ORIGIN, actor=SYSTEM)
    return Shop(tenant, key, assistant, key_text, ORIGIN)


def ask(platform: Platform, shop: Shop, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    origin = settings.PREVIEW_ORIGIN if headers else shop.origin
    return shop.ask(platform, origin=origin, headers=headers, body={"backends": BOTH, **body})


def grant_of(shop: Shop, answer: Answer) -> ChatGrant:
    assert answer.status == 200, answer.body
    grant = read_chat_token(answer.json["client_secret"], tenant_public_id=shop.public_id, now=int(time.time()))
    assert grant is not None
    return grant


def test_both_backends_answer_in_one_shape(platform: Platform, chat: Shop, sandbox: Sandbox) -> None:
    give_assistant(chat.tenant, give_key(chat.tenant, sandbox.add_key(workflows=["wf_1"]), "old"), slug="hosted")
    platform.wait_for_configuration()

    ours, hosted = ask(platform, chat).json, ask(platform, chat, assistant="hosted").json

    assert ours.keys() == hosted.keys()
    assert {name: type(value) for name, value in ours.items()} == {name: type(value) for name, value in hosted.items()}
    assert (ours["backend"], hosted["backend"]) == ("platform", "hosted_workflow")
    assert (ours["client_secret"][:4], hosted["client_secret"][:3]) == ("ct1.", "ek_")


def test_nothing_is_asked_of_openai_and_the_row_says_granted(platform: Platform, chat: Shop, sandbox: Sandbox) -> None:
    grant = grant_of(chat, ask(platform, chat))

    row = SessionRequest.objects.get()
    assert (row.outcome, row.assistant_slug, row.visitor_ref) == ("granted", "chat", grant.visitor_ref)
    assert (row.upstream_ms, row.upstream_status, row.upstream_request_id, row.key_id) == (None, None, "", None)
    assert VisitorLink.objects.get().ref == grant.visitor_ref
    assert not LiveSession.objects.exists()
    assert sandbox.creates() == []


def test_the_token_says_who_talks_to_whom_where_and_since_when(platform: Platform, chat: Shop) -> None:
    Tenant.objects.filter(pk=chat.tenant.pk).update(credential_epoch=3)
    Assistant.objects.filter(pk=chat.assistant.pk).update(credential_epoch=5)
    platform.wait_for_configuration()
    before = int(time.time())

    answer = ask(platform, chat)

    grant = grant_of(chat, answer)
    assert (grant.assistant_id, grant.origin, grant.visitor_kind) == (chat.assistant.id, ORIGIN, "anon")
    assert (grant.tenant_epoch, grant.assistant_epoch, grant.visitor_epoch) == (3, 5, chat.tenant.visitor_epoch)
    assert grant.preview_version is None
    assert before <= grant.issued_at <= time.time()
    assert grant.expires_at == answer.json["expires_at"] == grant.issued_at + 600
    assert 590 <= answer.json["expires_in"] <= 600


def test_the_assistants_own_lifetime_counts(platform: Platform, chat: Shop) -> None:
    Assistant.objects.filter(pk=chat.assistant.pk).update(expires_after=60)
    platform.wait_for_configuration()

    grant = grant_of(chat, ask(platform, chat))

    assert grant.expires_at - grant.issued_at == 60


def test_the_token_counts_at_no_other_tenant(platform: Platform, chat: Shop, sandbox: Sandbox) -> None:
    token = ask(platform, chat).json["client_secret"]
    other = open_shop(sandbox, "Birch")

    assert read_chat_token(token, tenant_public_id=other.public_id, now=int(time.time())) is None


@pytest.mark.parametrize("backends", [None, [], ["hosted_workflow"], ["Platform"]])
def test_a_page_that_can_not_open_it_gets_no_token(platform: Platform, chat: Shop, backends: list[str] | None) -> None:
    answer = chat.ask(platform, body={"backends": backends})

    assert (answer.status, answer.code) == (409, "integration_outdated")
    assert not VisitorLink.objects.exists()


def test_a_visitor_stays_the_same_and_is_somebody_new_after_signing_out(platform: Platform, chat: Shop) -> None:
    first = ask(platform, chat)
    token = first.json["visitor_token"]
    again = ask(platform, chat, visitor_token=token)

    signed_out = sign_out(platform, chat.public_id, token)
    after = ask(platform, chat, visitor_token=token)

    ref = grant_of(chat, first).visitor_ref
    assert grant_of(chat, again).visitor_ref == ref
    assert signed_out.status == 204
    revoked = RevokedVisitor.objects.get()
    assert revoked.ref == ref
    # What the chat endpoint compares: the token is not younger than the revocation.
    assert grant_of(chat, again).issued_at <= revoked.revoked_at.timestamp()
    assert grant_of(chat, after).visitor_ref != ref


def test_limits_and_quotas_are_those_of_a_hosted_assistant(platform: Platform, chat: Shop) -> None:
    Tenant.objects.filter(pk=chat.tenant.pk).update(sessions_per_day=2)
    platform.wait_for_configuration()

    told = [ask(platform, chat).code for _ in range(3)]

    assert told == ["granted", "granted", "quota_exceeded"]


def nothing_published(chat: Shop) -> None:
    Assistant.objects.filter(pk=chat.assistant.pk).update(published_version=None)


def no_key(chat: Shop) -> None:
    retire_key(key=chat.key, actor=SYSTEM)


def condemned(chat: Shop) -> None:
    ApiKey.objects.filter(pk=chat.key.pk).update(verdict=Verdict.INVALID_KEY)


def no_model(chat: Shop) -> None:
    AssistantKey.objects.filter(assistant=chat.assistant).update(verdict=Verdict.MODEL_MISSING)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (nothing_published, "nothing_published"),
        (no_key, "no_key"),
        (condemned, "invalid_key"),
        (no_model, "model_missing"),
    ],
)
def test_no_page_gets_a_token_for_a_chat_that_can_not_answer(
    platform: Platform, chat: Shop, spoil: Any, reason: str
) -> None:
    spoil(chat)
    platform.wait_for_configuration()

    answer = ask(platform, chat)

    assert (answer.status, answer.code) == (503, "tenant_misconfigured")
    row = SessionRequest.objects.get()
    assert (row.outcome, row.reason) == ("tenant_misconfigured", reason)


def test_a_second_key_that_works_is_enough(platform: Platform, chat: Shop, sandbox: Sandbox) -> None:
    second = give_key(chat.tenant, sandbox.add_key(workflows=[]), "second")
    AssistantKey.objects.create(assistant=chat.assistant, key=second, position=2)
    condemned(chat)
    platform.wait_for_configuration()

    assert ask(platform, chat).status == 200


def ticket_for(shop: Shop, version: uuid.UUID, *, assistant: str) -> dict[str, str]:
    ticket = mint_preview_ticket(
        tenant_public_id=shop.public_id, assistant_slug=assistant, now=int(time.time()), version_id=version
    )
    return {"X-Preview-Ticket": ticket}


def test_a_preview_tries_the_version_of_its_ticket(platform: Platform, chat: Shop) -> None:
    draft = save_draft(assistant=chat.assistant, values={"instructions": "Be brief."}, actor=SYSTEM)

    grant = grant_of(chat, ask(platform, chat, headers=ticket_for(chat, draft.id, assistant="chat")))

    assert grant.preview_version == draft.id
    assert grant.origin == settings.PREVIEW_ORIGIN


def test_a_hosted_assistant_s_draft_can_be_tried_before_the_switch_even_when_its_workflow_is_gone(
    platform: Platform, chat: Shop
) -> None:
    hosted = give_assistant(chat.tenant, chat.key, slug="hosted")
    values = {"instructions": "Be brief.", "model": "gpt-sandbox"}
    draft = save_draft(assistant=hosted, values=values, actor=SYSTEM)
    AssistantKey.objects.filter(assistant=hosted).update(verdict=Verdict.WORKFLOW_MISSING)
    platform.wait_for_configuration()
    headers = ticket_for(chat, draft.id, assistant="hosted")
    address = f"/api/v1/tenants/{chat.public_id}/widget/?assistant=hosted"

    answer = ask(platform, chat, headers=headers, assistant="hosted")
    shown = platform.request("GET", address, headers={"Origin": settings.PREVIEW_ORIGIN, **headers}).json

    assert answer.json["backend"] == shown["backend"] == "platform"
    assert grant_of(chat, answer).preview_version == draft.id
    assert shown["chat"]["url"].endswith(f"/api/v1/tenants/{chat.public_id}/chatkit/")


def test_a_visitor_who_was_revoked_behind_this_process_s_back_is_somebody_new(platform: Platform, chat: Shop) -> None:
    token = ask(platform, chat).json["visitor_token"]
    ref = SessionRequest.objects.get().visitor_ref
    RevokedVisitor.objects.create(ref=ref, tenant=chat.tenant, revoked_at=timezone.now())

    grant = grant_of(chat, ask(platform, chat, visitor_token=token))

    assert grant.visitor_ref != ref


def test_the_key_is_in_no_answer(platform: Platform, chat: Shop) -> None:
    answer = ask(platform, chat)

    assert chat.key_text not in answer.body.decode()
