"""The preview in real Chromium: the chat opens and answers under the page's own policy, without a violation or a cookie."""

import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from gateway.preview_tickets import mint_preview_ticket
from sessions_api.models import SessionRequest
from tests.platform_server import running_platform
from tests.sessions_api.cast import environment_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PLATFORM = "http://platform.localhost"


@contextmanager
def opened_preview(chromium, sandbox, shop):
    """A browser whose names lead to a platform of this test's own, with the preview opened; `page.said` is its console.

    No query may run inside: Playwright's loop makes Django open a second connection there, which nobody would close.
    """
    from playwright.sync_api import sync_playwright

    environment = environment_for(sandbox) | {"PLATFORM_URL": PLATFORM, "ALLOWED_HOSTS": "127.0.0.1,platform.localhost"}
    with running_platform(**environment) as platform, sync_playwright() as playwright:
        preview = urlsplit(settings.PREVIEW_ORIGIN)
        here = f"127.0.0.1:{platform.port}"
        rules = f"MAP platform.localhost:80 {here}, MAP {preview.hostname}:{preview.port} {here}"
        browser = playwright.chromium.launch(executable_path=chromium, args=[f"--host-resolver-rules={rules}"])
        page = browser.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: page.said.append(f"error: {error}"))
        ticket = mint_preview_ticket(
            tenant_public_id=shop.public_id, assistant_slug=shop.assistant.slug, now=int(time.time())
        )
        page.goto(f"{settings.PREVIEW_ORIGIN}/preview/{shop.public_id}/?ticket={ticket}")
        yield page
        browser.close()


def test_a_chat_opens_and_answers_under_the_previews_own_policy(chromium, sandbox, shop):
    with opened_preview(chromium, sandbox, shop) as page:
        page.get_by_role("button").first.click()
        page.get_by_role("textbox").fill("Hello")
        page.keyboard.press("Enter")
        page.get_by_text("You wrote: “Hello”").wait_for(timeout=10_000)
        said, cookies = page.said, page.context.cookies()

    assert [text for text in said if text.startswith(("error", "warning"))] == []
    assert cookies == []
    row = SessionRequest.objects.get(outcome="granted")
    assert (row.origin, row.assistant_slug) == (settings.PREVIEW_ORIGIN, "help")
