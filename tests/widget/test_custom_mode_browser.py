"""An assistant that the platform itself answers, in real Chromium: the script in custom mode, and the switch of an open page."""

import pytest

from chat_server.models import Thread
from tenants.models import Assistant
from tenants.models.assistant import Backend
from tests.sessions_api.signed import change_tenant
from tests.widget.shop_browser import becomes, open_chat, shop_page, website
from tests.widget.switchable import UPDATED, chat_of, chats, frame_of, in_another_thread, shop, switch, write

__all__ = ["chats", "shop", "website"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_chat_part_comes_when_the_chat_is_opened_and_holds_a_conversation(chromium, chats, website, shop):
    switch(chats, shop, Backend.PLATFORM)
    with shop_page(chromium, website) as page:
        page.wait_for_function("window.ChatKitPlatform")
        page.locator(".launcher").wait_for()
        scripts = "Array.from(document.scripts, ({src, integrity}) => [new URL(src).pathname, integrity.slice(0, 7)])"
        before = page.evaluate(scripts)
        open_chat(page)
        after = page.evaluate(scripts)
        write(frame_of(page), "hello there")
        frame_of(page).get_by_text("You said: hello there").wait_for()
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        said = page.said

    assert [path for path, _ in before] == ["/widget/v1/embed.js"]
    assert ["/widget/1.0.0/chat.js", "sha384-"] in after
    assert "ct1." not in kept
    assert [text for text in said if text.startswith(("error", "warning"))] == []
    assert Thread.objects.filter(tenant_id=shop.tenant.pk).count() == 1


def test_a_chat_part_that_a_blocker_takes_away_is_said_and_can_be_fetched_again(chromium, chats, website, shop):
    with shop_page(chromium, website) as page:
        page.route("**/chat.js*", lambda route: route.abort())
        page.wait_for_function("window.ChatKitPlatform")
        page.evaluate("ChatKitPlatform.open()")
        becomes(page, "unavailable")
        words = page.get_by_role("alert").inner_text()
        page.unroute("**/chat.js*")
        page.get_by_role("button", name="Try again").click()
        becomes(page, "ready")

    assert "The chat is unavailable" in words


def test_a_chat_part_with_other_bytes_is_refused_by_the_browser(chromium, chats, website, shop):
    forged = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
    with shop_page(chromium, website) as page:
        page.route("**/chat.js*", lambda route: route.fulfill(body="window.forged = true", headers=forged))
        page.wait_for_function("window.ChatKitPlatform")
        page.evaluate("ChatKitPlatform.open()")
        becomes(page, "unavailable")
        ran = page.evaluate("window.forged === true")

    assert not ran


@pytest.mark.parametrize("first", [Backend.PLATFORM, Backend.HOSTED_WORKFLOW])
def test_a_page_that_is_open_while_the_assistant_is_switched_goes_on_in_the_other_mode(
    chromium, chats, website, shop, first
):
    # A hosted chat meets the switch when its secret is renewed: the stand-in does that at half of so short a life.
    Assistant.objects.filter(pk=shop.assistant.pk).update(expires_after=12)
    second = Backend.HOSTED_WORKFLOW if first == Backend.PLATFORM else Backend.PLATFORM
    answer = {Backend.PLATFORM: "You said: {}", Backend.HOSTED_WORKFLOW: "You wrote: “{}”"}
    if first == Backend.PLATFORM:
        switch(chats, shop, first)

    with shop_page(chromium, website) as page:
        open_chat(page)
        write(chat_of(page, first), "before")
        chat_of(page, first).get_by_text(answer[first].format("before")).wait_for()
        page.evaluate("window.sameDocument = true")
        in_another_thread(switch, chats, shop, second)
        if first == Backend.PLATFORM:
            write(chat_of(page, first), "during")
        page.get_by_text(UPDATED).wait_for()
        becomes(page, "ready")
        write(chat_of(page, second), "after")
        chat_of(page, second).get_by_text(answer[second].format("after")).wait_for()
        carried = chat_of(page, second).get_by_text("before", exact=True).count()
        same = page.evaluate("window.sameDocument")

    assert (same, carried) == (True, 0)


def test_at_its_limit_a_tenant_says_so_in_its_own_words(chromium, chats, website, shop):
    change_tenant(shop.tenant, messages_per_minute_per_visitor=1, limit_text="One at a time, please.")
    switch(chats, shop, Backend.PLATFORM)
    with shop_page(chromium, website) as page:
        open_chat(page)
        write(frame_of(page), "one")
        frame_of(page).get_by_text("You said: one").wait_for()
        write(frame_of(page), "two")
        page.get_by_text("One at a time, please.").first.wait_for()
