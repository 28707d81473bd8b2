"""Signed-in visitors in real Chromium, with the real script, platform and sandbox: whose chat is seen, and what is kept."""

import pytest

from audit.record import SYSTEM
from sessions_api.models import SessionRequest
from tenants.domains import allow_domain
from tests.sessions_api.signed import open_signed_shop
from tests.widget.shop_browser import becomes, open_chat, say, shop_page, threads_of, website

__all__ = ["website"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KEPT = "({local: Object.values(localStorage), session: Object.values(sessionStorage)})"


@pytest.fixture
def signed(sandbox, platform, website):
    signed = open_signed_shop(sandbox, "optional")
    allow_domain(tenant=signed.shop.tenant, text=website.origin, actor=SYSTEM, allow_http=True)
    platform.wait_for_configuration()
    website.tag = f'src="{platform.url}/widget/v1/embed.js" data-tenant="{signed.public_id}"'
    return signed


def rows():
    return [(row.visitor_kind, row.outcome) for row in SessionRequest.objects.order_by("at")]


def test_a_signed_in_visitor_finds_the_chat_again_after_a_reload_and_on_another_device(
    chromium, platform, website, signed
):
    with shop_page(chromium, website, signed.sign(sub="ada")) as page:
        threads_of(open_chat(page), 0)
        say(page, "secret of ada")

        kept = page.evaluate(KEPT)
        website.identity = signed.sign(sub="ada")
        page.reload()
        threads_of(open_chat(page), 1)

        website.identity = signed.sign(sub="ada")
        elsewhere = page.context.browser.new_context().new_page()
        elsewhere.goto(website.origin)
        threads_of(open_chat(elsewhere), 1)

    assert kept["local"] == []
    assert [value.split(" ")[1][:3] for value in kept["session"]] == ["vt1"]
    assert "ada" not in kept["session"][0]
    assert rows() == [("known", "granted")] * 3


def test_the_same_page_again_with_the_same_token_goes_on(chromium, platform, website, signed):
    """A cached page, or the back button: the token was used up, and counts together with what came back for it."""
    with shop_page(chromium, website, signed.sign(sub="ada")) as page:
        open_chat(page)
        page.reload()
        open_chat(page)

    assert rows() == [("known", "granted"), ("known", "granted")]


def test_another_person_at_the_same_page_sees_nothing_of_the_last_ones(chromium, platform, website, signed):
    ada, bob = signed.sign(sub="ada"), signed.sign(sub="bob")
    with shop_page(chromium, website, ada) as page:
        open_chat(page)
        say(page, "secret of ada")

        page.evaluate("token => ChatKitPlatform.identify(async () => token)", bob)
        becomes(page, "ready")
        threads_of(page.locator("openai-chatkit"), 0)
        seen = page.get_by_text("secret of ada").count()

    assert seen == 0
    assert rows() == [("known", "granted"), ("known", "granted")]


def test_signing_in_leaves_the_anonymous_chats_to_the_anonymous_visitor(chromium, platform, website, signed):
    with shop_page(chromium, website) as page:
        open_chat(page)
        say(page, "before signing in")

        page.evaluate("token => ChatKitPlatform.identify(token)", signed.sign(sub="ada"))
        becomes(page, "ready")
        threads_of(page.locator("openai-chatkit"), 0)

        page.reload()
        threads_of(open_chat(page), 1)

    assert rows() == [("anon", "granted"), ("known", "granted"), ("anon", "granted")]


def test_signing_out_takes_the_chat_off_the_page_and_every_token_with_it(chromium, platform, website, signed):
    with shop_page(chromium, website, signed.sign(sub="ada")) as page:
        open_chat(page)
        say(page, "secret of ada")
        token = page.evaluate(KEPT)["session"][0].split(" ")[1]

        with page.expect_response("**/chatkit/session/end/") as ended:
            page.evaluate("ChatKitPlatform.signOut()")
        status = ended.value.status
        left = page.evaluate(KEPT)
        shown = page.locator("openai-chatkit").count()
        threads_of(open_chat(page), 0)
        said = page.said
    platform.wait_for_configuration()
    again = signed.shop.ask(platform, body={"visitor_token": token})

    assert (status, left, shown) == (204, {"local": [], "session": []}, 0)
    assert [text for text in said if text.startswith(("error", "warning"))] == []
    assert again.code == "granted"
    assert rows()[-2:] == [("anon", "granted"), ("anon", "granted")]


def test_signing_out_ends_the_sessions_even_though_the_page_is_left_at_once(chromium, platform, website, signed):
    with shop_page(chromium, website, signed.sign(sub="ada")) as page:
        open_chat(page)
        token = page.evaluate(KEPT)["session"][0].split(" ")[1]
        website.identity = ""

        page.evaluate("() => { ChatKitPlatform.signOut(); location.reload(); }")
        page.wait_for_load_state()
        open_chat(page)
    platform.wait_for_configuration()
    again = signed.shop.ask(platform, body={"visitor_token": token})

    assert again.code == "granted"
    assert [kind for kind, _ in rows()] == ["known", "anon", "anon"]


def test_a_tenant_that_demands_it_asks_the_visitor_to_sign_in_and_then_opens(chromium, platform, website, signed):
    signed.switch(platform, identity_mode="required")
    with shop_page(chromium, website) as page:
        page.wait_for_function("window.ChatKitPlatform")
        page.evaluate("ChatKitPlatform.open()")
        becomes(page, "signin")
        words = page.get_by_role("alert").inner_text()
        told = "\n".join(page.said)

        page.evaluate("token => ChatKitPlatform.identify(token)", signed.sign(sub="ada"))
        becomes(page, "ready")

    assert "Please sign in to chat" in words
    assert "identity_required" in told


def test_a_refused_token_is_asked_for_once_more_where_the_page_can_give_one(chromium, platform, website, signed):
    stale, fresh = signed.sign(sub="ada", aud="tn_another"), signed.sign(sub="ada")
    with shop_page(chromium, website) as page:
        page.wait_for_function("window.ChatKitPlatform")
        page.evaluate("tokens => ChatKitPlatform.identify(() => tokens.shift())", [stale, fresh])
        open_chat(page)

    assert [outcome for _, outcome in rows()] == ["identity_invalid", "granted"]


def test_a_refused_token_of_a_page_that_has_no_other_asks_to_sign_in_again(chromium, platform, website, signed):
    with shop_page(chromium, website, signed.sign(sub="ada", aud="tn_another")) as page:
        page.wait_for_function("window.ChatKitPlatform")
        page.evaluate("ChatKitPlatform.open()")
        becomes(page, "signin")
        words = page.get_by_role("alert").inner_text()
        page.evaluate("ChatKitPlatform.close()")
        page.evaluate("ChatKitPlatform.open()")
        becomes(page, "signin")

    assert "Please sign in again to chat" in words
    assert [outcome for _, outcome in rows()] == ["identity_invalid"]
