"""What is withdrawn ends the answers that rest on it within two seconds, and no call with the old token is answered any more."""

import time
from collections.abc import Callable

import pytest
from django.db.models import F

from audit.record import SYSTEM
from sessions_api.erase_visitor import erase_visitor, find_by_ref
from sessions_api.models import VisitorLink
from tenants.assistants import delete_assistant
from tenants.keys import retire_key
from tenants.models import AllowedDomain, Assistant, Tenant
from tenants.models.assistant import Backend
from tenants.states import suspend_tenant
from tests.chat_server.chat_cast import Chat, Talker, create
from tests.proof import FULL
from tests.sessions_api.endpoint.test_end_session import sign_out

pytestmark = pytest.mark.django_db(transaction=True)
# On a machine that does nothing else; one that runs four lanes of tests at once is only asked whether it happens.
WITHIN_SECONDS = 2.0 if FULL else 8.0
EFFECT = "chatkit_platform.configuration_changed"

Deed = Callable[[Chat, Talker], object]


def suspend(chat: Chat, _: Talker) -> None:
    suspend_tenant(tenant=chat.shop.tenant, actor=SYSTEM)


def remove_domain(chat: Chat, _: Talker) -> None:
    AllowedDomain.objects.filter(tenant=chat.shop.tenant).delete()


def retire(chat: Chat, _: Talker) -> None:
    retire_key(key=chat.shop.key, actor=SYSTEM)


def delete(chat: Chat, _: Talker) -> None:
    delete_assistant(assistant=chat.shop.assistant, actor=SYSTEM)


def switch(chat: Chat, _: Talker) -> None:
    Assistant.objects.filter(pk=chat.shop.assistant.pk).update(
        backend=Backend.HOSTED_WORKFLOW, workflow_id="wf_1", credential_epoch=F("credential_epoch") + 1
    )


def leave(chat: Chat, talker: Talker) -> None:
    assert sign_out(chat.platform, chat.shop.public_id, talker.visitor_token).status == 204


def erase(chat: Chat, _: Talker) -> None:
    link = VisitorLink.objects.get()
    erase_visitor(tenant=chat.shop.tenant, person=find_by_ref(chat.shop.tenant, link.ref), actor=SYSTEM)


def end_all_of_tenant(chat: Chat, _: Talker) -> None:
    Tenant.objects.filter(pk=chat.shop.tenant.pk).update(credential_epoch=F("credential_epoch") + 1)


def end_all_of_assistant(chat: Chat, _: Talker) -> None:
    Assistant.objects.filter(pk=chat.shop.assistant.pk).update(credential_epoch=F("credential_epoch") + 1)


def end_all_visitors(chat: Chat, _: Talker) -> None:
    Tenant.objects.filter(pk=chat.shop.tenant.pk).update(visitor_epoch=F("visitor_epoch") + 1)


@pytest.mark.parametrize(
    ("withdraw", "code", "goes_on"),
    [
        (suspend, "tenant_unknown", False),
        (remove_domain, "origin_not_allowed", False),
        (retire, "tenant_misconfigured", False),
        (delete, "assistant_unknown", True),
        (switch, "integration_outdated", True),
        (leave, "token_invalid", False),
        (erase, "token_invalid", False),
        (end_all_of_tenant, "token_invalid", True),
        (end_all_of_assistant, "token_invalid", True),
        (end_all_visitors, "token_invalid", False),
    ],
)
def test_what_is_withdrawn_ends_open_answers_and_is_refused(
    chat: Chat, talker: Talker, withdraw: Deed, code: str, goes_on: bool
) -> None:
    with talker.stream(create("[long]")) as stream:
        stream.until("thread.item.updated")
        withdraw(chat, talker)
        began = time.monotonic()
        rest = list(stream)
        took = time.monotonic() - began

    assert took <= WITHIN_SECONDS
    last = rest[-1]
    assert (last.type, last.code, last.allow_retry) == ("error", "custom", False)
    assert last.message
    effects = [event.name for event in rest if event.type == "client_effect"]
    assert effects == ([EFFECT] if goes_on else [])
    assert talker.ask(create()).code == code
    assert [call["outcome"] for call in chat.runs_that_end()] == ["left"]


def test_another_visitor_goes_on_when_one_signs_out(chat: Chat, talker: Talker) -> None:
    other = chat.talker()
    with other.stream(create("[long 60]")) as stream:
        stream.until("thread.item.updated")
        leave(chat, talker)
        events = list(stream)

    assert events[-1].type != "error"


def test_who_signed_out_may_come_back_with_a_new_token(chat: Chat, talker: Talker) -> None:
    leave(chat, talker)
    time.sleep(1.2)

    again = chat.talker(visitor_token=talker.visitor_token)

    assert again.ask(create()).status == 200
    assert talker.ask(create()).code == "token_invalid"
