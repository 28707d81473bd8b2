"""The operator's own preview page: its origin is on no list, and a ticket opens one assistant of one tenant."""

import time

from django.conf import settings

from gateway.preview_tickets import mint_preview_ticket
from sandbox.testing import Sandbox
from tests.platform_server import Answer, Platform
from tests.sessions_api.cast import WORKFLOW, Shop, open_shop
from tests.tenants.cast import give_assistant


def ask(platform: Platform, shop: Shop, ticket: str, *, origin: str = "", assistant: str = "help") -> Answer:
    headers = {"X-Preview-Ticket": ticket} if ticket else {}
    origin = origin or settings.PREVIEW_ORIGIN
    return shop.ask(platform, origin=origin, headers=headers, body={"assistant": assistant})


def ticket_for(shop: Shop, *, assistant: str = "help", age: int = 0) -> str:
    now = int(time.time()) - age
    return mint_preview_ticket(tenant_public_id=shop.public_id, assistant_slug=assistant, now=now)


def test_a_ticket_opens_its_assistant_on_the_preview_s_origin(platform: Platform, shop: Shop) -> None:
    answer = ask(platform, shop, ticket_for(shop))

    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == settings.PREVIEW_ORIGIN


def test_a_ticket_opens_nothing_else(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    other = open_shop(sandbox, "Birch")
    give_assistant(shop.tenant, shop.key, slug="sales", workflow_id=WORKFLOW)

    answers = {
        "no ticket": ask(platform, shop, ""),
        "made up": ask(platform, shop, "pt1.test.AAAA.BBBB"),
        "of another tenant": ask(platform, shop, ticket_for(other)),
        "of another assistant": ask(platform, shop, ticket_for(shop, assistant="sales")),
        "too old": ask(platform, shop, ticket_for(shop, age=301)),
        "elsewhere": ask(platform, shop, ticket_for(shop), origin="https://stranger.example"),
    }

    assert {case: answer.code for case, answer in answers.items()} == dict.fromkeys(answers, "origin_not_allowed")
    assert sandbox.creates() == []


def test_the_preflight_of_the_preview_is_granted_when_it_announces_a_ticket(platform: Platform, shop: Shop) -> None:
    def preflight(asked: str) -> Answer:
        headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
        return shop.ask(platform, method="OPTIONS", origin=settings.PREVIEW_ORIGIN, headers=headers)

    announced, silent = preflight("content-type,x-preview-ticket"), preflight("content-type")

    assert (announced.status, silent.status) == (204, 403)
    assert announced.headers["access-control-allow-headers"] == "content-type, x-preview-ticket"
