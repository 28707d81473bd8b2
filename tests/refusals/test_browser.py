"""In real Chromium: what the visitor's page, the developer's console and the operator's page say of one refusal agree."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from audit.record import SYSTEM
from gateway.errors import Code, PublicError
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from sessions_api.outcome_words import explain
from tenants.domains import allow_domain
from tenants.states import suspend_tenant
from tests.journeys.websites import website
from tests.platform_server import Platform, free_port
from tests.refusals.frontend import state_of, title_of
from tests.sessions_api.cast import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FALLBACK = "We are at the counter. Call us."


@dataclass
class Scene:
    shop: Shop
    sandbox: Sandbox
    platform: Platform
    origin: str

    def allow(self) -> None:
        allow_domain(tenant=self.shop.tenant, text=self.origin, actor=SYSTEM, allow_http=True)


@dataclass
class Seen:
    panel: str
    state: str
    console: list[str] = field(default_factory=list)


def not_on_the_list(scene: Scene) -> None:
    pass


def suspended(scene: Scene) -> None:
    scene.allow()
    suspend_tenant(tenant=scene.shop.tenant, actor=SYSTEM)


def limit_used_up(scene: Scene) -> None:
    scene.allow()
    scene.shop.tenant.sessions_per_minute = 1
    scene.shop.tenant.save()
    scene.platform.wait_for_configuration()
    assert scene.shop.ask(scene.platform).status == 200


def key_refused(scene: Scene) -> None:
    scene.allow()
    scene.sandbox.set_key(scene.shop.key_text, "invalid")


def openai_down(scene: Scene) -> None:
    scene.allow()
    scene.sandbox.set_host("down")


CASES = [
    (Code.ORIGIN_NOT_ALLOWED, "origin_not_allowed", not_on_the_list),
    (Code.TENANT_UNKNOWN, "tenant_suspended", suspended),
    (Code.RATE_LIMITED, "tenant_limit", limit_used_up),
    (Code.TENANT_MISCONFIGURED, "invalid_key", key_refused),
    (Code.UPSTREAM_UNAVAILABLE, "server_error", openai_down),
]


@pytest.mark.parametrize(("code", "reason", "bring_about"), CASES, ids=lambda value: str(getattr(value, "value", "")))
def test_the_three_readers_of_a_refusal_read_the_same_story(
    chromium: str,
    platform: Platform,
    sandbox: Sandbox,
    shop: Shop,
    console: Client,
    tmp_path: Path,
    code: Code,
    reason: str,
    bring_about: Callable[[Scene], None],
) -> None:
    port = free_port()
    shop.tenant.fallback_text = FALLBACK
    shop.tenant.save()
    bring_about(Scene(shop, sandbox, platform, f"http://127.0.0.1:{port}"))
    platform.wait_for_configuration()

    seen = open_the_chat(chromium, platform, sandbox, shop, port, tmp_path)

    message = PublicError(code).message
    assert title_of(code) in seen.panel
    assert seen.state == state_of(code)
    # A developer's sentence is no comfort to a visitor, who gets the tenant's own words where there is nothing to mend.
    is_refused = seen.state == "refused"
    assert (message in seen.panel, FALLBACK in seen.panel) == (is_refused, not is_refused)
    (line,) = [line for line in seen.console if line.startswith("[ChatKitPlatform]")]
    assert line.startswith(f"[ChatKitPlatform] {code}: {message}\nRequest id: ")
    row = SessionRequest.objects.get(request_id=re.search(r"Request id: ([0-9a-f]{32})", line)[1])  # type: ignore[index]
    assert (row.outcome, row.reason) == (code, reason)
    page = html.unescape(
        console.get(reverse("admin:sessions_api_sessionrequest_change", args=[row.pk])).content.decode()
    )
    assert message in page
    assert explain(code, reason).behind in page


def open_the_chat(chromium: str, platform: Platform, sandbox: Sandbox, shop: Shop, port: int, folder: Path) -> Seen:
    """What a visitor of the shop's page gets to see, and its developer. No query may run while Playwright's loop does."""
    from playwright.sync_api import expect, sync_playwright

    snippet = f'<script async src="{platform.url}/widget/v1/embed.js" data-tenant="{shop.public_id}"></script>'
    said: list[str] = []
    with (
        website(port, folder, kind="tenant", title="Alder", snippet=snippet, chatkit=sandbox.url) as origin,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(locale="en-GB")
        page.on("console", lambda message: said.append(message.text))
        page.goto(origin)
        page.locator("chatkit-platform .launcher").click()
        chat = page.locator("chatkit-platform")
        expect(chat).to_have_attribute(
            "data-state", re.compile("refused|unavailable|signin|blocked|ready"), timeout=20_000
        )
        panel, state = chat.locator(".panel").inner_text(), chat.get_attribute("data-state")
        browser.close()
    return Seen(panel, str(state), said)
