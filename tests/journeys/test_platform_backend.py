"""A visitor of the tenant whose chats the platform serves itself: the same page and snippet, no workflow anywhere."""

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from sandbox.testing import Sandbox
from tests.journeys.demo import Demo
from tests.journeys.test_first_day import LAUNCHER, WIDGET

pytestmark = [pytest.mark.demo, pytest.mark.browser]


def opened(page: Page, origin: str) -> FrameLocator:
    page.goto(origin)
    page.locator(LAUNCHER).click()
    expect(page.locator(WIDGET)).to_have_attribute("data-state", "ready")
    return page.frame_locator("openai-chatkit iframe")


def say(chat: FrameLocator, text: str) -> Locator:
    chat.get_by_test_id("composer").fill(text)
    chat.get_by_test_id("send").click()
    return chat.locator('[data-testid="message"][data-role="assistant"]').last


def test_cedar_cycles_chats_without_a_workflow(demo: Demo, page: Page, pictures) -> None:
    cedar, sandbox = demo.tenant("Cedar Cycles"), Sandbox(demo.sandbox)
    assert cedar["backend"] == "platform"
    before = len(sandbox.run_calls())

    chat = opened(page, cedar["origin"])
    expect(say(chat, "Do you mend punctures?")).to_contain_text("You said: Do you mend punctures?")
    page.screenshot(path=pictures / "cedar-cycles.png")

    calls = sandbox.run_calls()[before:]
    assert {(call["model"], call["status"]) for call in calls} == {("gpt-sandbox", 200)}
    assert all("openai-organization" not in call["headers"] for call in sandbox.calls(path="/v1/responses"))

    # Another visit of the same visitor finds the conversation.
    chat = opened(page, cedar["origin"])
    chat.get_by_test_id("history-button").click()
    chat.get_by_test_id("history-item").first.click()
    expect(chat.get_by_test_id("message").first).to_contain_text("Do you mend punctures?")


def test_a_visitor_stops_what_takes_too_long(demo: Demo, page: Page) -> None:
    sandbox = Sandbox(demo.sandbox)
    chat = opened(page, demo.tenant("Cedar Cycles")["origin"])
    expect(say(chat, "[long]")).to_contain_text("3 ")

    chat.get_by_test_id("stop").click()

    expect(chat.get_by_test_id("send")).to_be_visible()
    for _ in range(50):
        if sandbox.runs()["running"] == 0:
            break
        page.wait_for_timeout(100)
    assert sandbox.runs()["running"] == 0
