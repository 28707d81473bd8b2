"""All that a chat of the platform's own can do, on one page in real Chromium; and the switch that nobody tells the page of."""

import base64
import os
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from audit.record import SYSTEM
from sessions_api.cancel import cancel_claimed
from tenants.models import Assistant
from tenants.models.assistant import Backend
from tenants.versions import publish, save_draft
from tests.sessions_api.signed import change_tenant
from tests.widget.shop_browser import becomes, open_chat, shop_page, website
from tests.widget.switchable import UPDATED, chat_of, chats, frame_of, in_another_thread, shop, switch, write
from tests.widget.waiting import wait_for

__all__ = ["chats", "shop", "website"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CART = {
    "name": "add_to_cart",
    "description": "Puts an article into the cart.",
    "parameters": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
}
SIDE = 48


def red_square():
    """A picture that a browser can draw."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xc0\x20\x20" * SIDE) * SIDE
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


PICTURE = red_square()
ANSWER = {Backend.PLATFORM: "You said: {}", Backend.HOSTED_WORKFLOW: "You wrote: “{}”"}


@pytest.fixture
def pictures(tmp_path):
    """Where the screenshots go: CHATKIT_PICTURES, for who wants to look at them."""
    folder = Path(os.environ.get("CHATKIT_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def equipped(chats, shop):
    """The shop's assistant takes files and may use the page's cart; it is the platform's."""
    Assistant.objects.filter(pk=shop.assistant.pk).update(file_upload_enabled=True, max_files=3, max_file_size_mb=1)
    save_draft(assistant=shop.assistant, values={"client_tools": [CART]}, actor=SYSTEM)
    publish(assistant=shop.assistant, actor=SYSTEM)
    change_tenant(shop.tenant, messages_per_minute_per_visitor=100)
    switch(chats, shop, Backend.PLATFORM)
    return shop


def last_said(chat):
    return chat.locator('[data-testid="message"][data-role="assistant"] .text').last


def test_a_visitor_holds_a_whole_conversation(chromium, chats, website, sandbox, equipped, pictures):
    with shop_page(chromium, website) as page:
        open_chat(page)
        chat = frame_of(page)
        frame_origin = page.frames[-1].evaluate("location.origin")

        write(chat, "[long]")
        expect(last_said(chat)).to_contain_text("3 ")
        grown = [len(last_said(chat).inner_text())]
        expect(last_said(chat)).to_contain_text("20 ")
        grown.append(len(last_said(chat).inner_text()))
        page.screenshot(path=pictures / "1-streaming.png")
        chat.get_by_test_id("stop").click()
        expect(chat.get_by_test_id("send")).to_be_visible()
        wait_for(lambda: sandbox.run_calls()[-1]["outcome"] == "left")
        page.screenshot(path=pictures / "2-stopped.png")

        page.evaluate("ChatKitPlatform.onClientTool(({name, params}) => ({did: name, sku: params.sku}))")
        write(chat, '[tool:add_to_cart {"sku": "a1"}]')
        expect(last_said(chat)).to_have_text('The tool answered: {"did": "add_to_cart", "sku": "a1"}')

        with page.expect_response(lambda response: response.request.method == "PUT") as put:
            chat.get_by_test_id("attach").set_input_files(
                {"name": "me.png", "mimeType": "image/png", "buffer": PICTURE}
            )
        uploaded = put.value.status, put.value.request.all_headers()["origin"]
        expect(chat.locator('[data-testid="attachment"][data-state="ready"]')).to_be_visible()
        write(chat, "what is it?")
        expect(last_said(chat)).to_have_text("You said: what is it? (with 1 image)")
        shown = chat.locator('[data-testid="message"] [data-testid="picture"]')
        expect(shown).to_have_js_property("naturalWidth", SIDE)
        sent_picture = base64.b64encode(PICTURE).decode() in str(sandbox.calls(path="/v1/responses")[-1]["body"])
        page.screenshot(path=pictures / "3-tool-and-picture.png")

        write(chat, "[fail]")
        expect(chat.get_by_test_id("error")).to_be_visible()
        page.screenshot(path=pictures / "4-failed.png")
        runs = len(sandbox.run_calls())
        chat.get_by_test_id("retry").click()
        wait_for(lambda: len(sandbox.run_calls()) > runs)
        expect(chat.get_by_test_id("retry")).to_be_visible()
        sandbox.fault("stream_cut", options={"after": 3})
        write(chat, "and now?")
        chat.get_by_test_id("retry").click()
        expect(last_said(chat)).to_have_text("You said: and now?")

        page.reload()
        open_chat(page)
        chat = frame_of(page)
        chat.get_by_test_id("history-button").click()
        chat.get_by_test_id("history-item").first.click()
        expect(last_said(chat)).to_contain_text("You said: and now?")
        expect(chat.locator('[data-testid="message"] [data-testid="picture"]')).to_have_js_property(
            "naturalWidth", SIDE
        )
        words = chat.get_by_test_id("thread").inner_text()
        page.screenshot(path=pictures / "5-history.png")
        said = page.said

    assert frame_origin == sandbox.url
    assert grown[0] < grown[1]
    assert uploaded == (200, sandbox.url)
    assert sent_picture
    assert "what is it?" in words
    assert "[fail]" in words
    assert [text for text in said if text.startswith("error")] == []


def test_a_page_goes_on_after_its_hosted_session_was_cancelled_by_the_switch_and_back(
    chromium, chats, website, sandbox, shop, pictures
):
    """The session would have lived ten minutes: only the failed message tells the page, which then asks."""

    def switched_to(backend):
        switch(chats, shop, backend)
        cancel_claimed()

    with shop_page(chromium, website) as page:
        page.clock.install()
        page.reload()
        open_chat(page)
        write(page, "hosted")
        page.get_by_text(ANSWER[Backend.HOSTED_WORKFLOW].format("hosted")).wait_for()
        page.evaluate("window.sameDocument = true")
        page.clock.fast_forward(16_000)

        in_another_thread(switched_to, Backend.PLATFORM)
        write(page, "lost")
        page.get_by_text(UPDATED).wait_for()
        becomes(page, "ready")
        page.screenshot(path=pictures / "6-switched.png")
        write(chat_of(page, Backend.PLATFORM), "served here")
        expect(last_said(frame_of(page))).to_have_text("You said: served here")
        page.clock.fast_forward(16_000)

        in_another_thread(switched_to, Backend.HOSTED_WORKFLOW)
        write(frame_of(page), "lost again")
        becomes(page, "ready")
        write(page, "hosted again")
        page.get_by_text(ANSWER[Backend.HOSTED_WORKFLOW].format("hosted again")).wait_for()
        page.screenshot(path=pictures / "7-back.png")
        same = page.evaluate("window.sameDocument")

    assert same
    assert sandbox.calls(path="/v1/chatkit/conversation", status=401)
