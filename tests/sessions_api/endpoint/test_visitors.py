"""G1, T6: who is who at OpenAI, and that nothing a client sends has a say in it."""

import pytest

from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.models import Tenant
from tests.platform_server import Platform
from tests.sessions_api.cast import Shop, open_shop


def users(sandbox: Sandbox) -> list[str]:
    return [call["user"] for call in sandbox.creates()]


@pytest.mark.proof("T6")
def test_two_visitors_of_a_tenant_are_two_users(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    for _ in range(5):
        shop.ask(platform)

    assert len(set(users(sandbox))) == 5


@pytest.mark.proof("T6")
def test_one_token_at_two_tenants_is_two_users(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    birch = open_shop(sandbox, "Birch", origin=shop.origin)
    token = shop.ask(platform).json["visitor_token"]

    birch.ask(platform, body={"visitor_token": token})
    shop.ask(platform, body={"visitor_token": token})

    at_alder, at_birch, again = users(sandbox)
    assert at_alder == again
    assert at_birch.startswith(f"v1.{birch.public_id}.")
    assert at_alder.rpartition(".")[2] != at_birch.rpartition(".")[2]


@pytest.mark.proof("T6")
def test_the_token_slides_and_stays_the_same_visitor(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    token = None
    for _ in range(4):
        token = shop.ask(platform, body={"visitor_token": token}).json["visitor_token"]

    assert len(set(users(sandbox))) == 1
    assert len(set(SessionRequest.objects.values_list("visitor_ref", flat=True))) == 1


@pytest.mark.proof("T6")
def test_a_spoiled_token_is_somebody_new_and_no_error(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    token = shop.ask(platform).json["visitor_token"]

    answers = [
        shop.ask(platform, body={"visitor_token": spoiled})
        for spoiled in (token[:-1], token + "A", "vt1.x.y.z", token.replace("vt1", "pt1"), "")
    ]

    assert [answer.status for answer in answers] == [200] * 5
    assert len(set(users(sandbox))) == 6


@pytest.mark.proof("T6")
def test_a_raised_visitor_epoch_makes_everybody_new(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    token = shop.ask(platform).json["visitor_token"]
    tenant = Tenant.objects.get(pk=shop.tenant.pk)
    tenant.visitor_epoch += 1
    tenant.save()
    platform.wait_for_configuration()

    shop.ask(platform, body={"visitor_token": token})

    assert len(set(users(sandbox))) == 2


@pytest.mark.proof("T6")
def test_nothing_that_a_client_sends_changes_the_call(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    token = shop.ask(platform).json["visitor_token"]
    wishes = {
        "user": "v1.someone.else",
        "workflow": {"id": "wf_other", "version": "7", "state_variables": {"admin": True}},
        "workflow_id": "wf_other",
        "expires_after": {"anchor": "created_at", "seconds": 1},
        "rate_limits": {"max_requests_per_1_minute": 1000},
        "file_upload": {"enabled": True},
        "chatkit_configuration": {"file_upload": {"enabled": True}, "history": {"enabled": False}},
        "state_variables": {"admin": True},
        "model": "largest",
        "identity_token": "a.b.c",
    }

    shop.ask(platform, body={"visitor_token": token, **wishes}, headers={"OpenAI-Project": "proj_other"})

    first, second = sandbox.creates()
    assert first["body"] == second["body"]
    assert first["headers"].get("openai-project") == second["headers"].get("openai-project")
