"""The stand-in component, on a demo site in real Chromium, chats with the sandbox across origins."""

import json

import pytest
from playwright.sync_api import sync_playwright

from sandbox.conversation import reply_to
from tests.sandbox.raw import BETA, send
from tests.sandbox.test_sites import entry, running_sites

pytestmark = pytest.mark.browser
WORKFLOW = "wf_1"
MOUNT = """
async ({secrets, options}) => {
  await customElements.whenDefined("openai-chatkit");
  const chat = document.createElement("openai-chatkit");
  window.asked = [];
  window.errors = [];
  chat.addEventListener("chatkit.error", (event) => window.errors.push(String(event.detail.error)));
  chat.style.cssText = "position:fixed;inset:auto 1rem 1rem auto;width:22rem;height:30rem";
  chat.setOptions({
    ...options,
    api: { getClientSecret: async (current) => { window.asked.push(current); return secrets.shift(); } },
  });
  document.body.append(chat);
}
"""


@pytest.fixture
def page(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        try:
            yield browser.new_page()
        finally:
            browser.close()


@pytest.fixture
def secret(sandbox):
    key = sandbox.add_key(workflows=[WORKFLOW])
    body = {"user": "ann", "workflow": {"id": WORKFLOW}}
    return send(f"{sandbox.base_url}/chatkit/sessions", "POST", body, BETA, key=key).json["client_secret"]


def mount(page, origin, secret, **options):
    page.goto(origin)
    page.evaluate(MOUNT, {"secrets": [secret], "options": options})


def test_a_visitor_writes_and_is_answered_under_the_sites_policy(sandbox, page, secret):
    broken = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    snippet = f'<script async src="{sandbox.chatkit_js}"></script>'
    with running_sites(entry(snippet=snippet, chatkit=sandbox.url)) as [origin]:
        mount(page, origin, secret)
        page.get_by_test_id("composer").fill("Do you ship to Malta?")
        page.get_by_test_id("send").click()
        page.get_by_text(reply_to("Do you ship to Malta?")).wait_for()

    assert page.evaluate("window.asked") == [None]
    assert page.evaluate("window.errors") == []
    assert broken == []
    [call] = [call for call in sandbox.calls(path="conversation") if call["op"] == "threads.create"]
    assert (call["headers"]["origin"], call["user"], call["status"]) == (origin, "ann", 200)


def test_a_site_that_does_not_allow_the_component_gets_none(sandbox, page):
    with running_sites(entry(chatkit="http://127.0.0.1:9")) as [origin]:
        page.goto(origin)
        loaded = page.evaluate(
            """(source) => new Promise((resolve) => {
              const script = Object.assign(document.createElement("script"), {src: source});
              script.onload = () => resolve(true);
              script.onerror = () => resolve(false);
              document.head.append(script);
            })""",
            sandbox.chatkit_js,
        )

    assert loaded is False


def test_the_page_of_switches_kills_a_key_by_a_press(sandbox, page):
    key = sandbox.add_key("sk-" + "sandbox-" + "demo" * 5, project="proj_sandbox")
    page.goto(sandbox.url)

    page.locator("#keys").get_by_role("button", name="Invalid").click()
    page.get_by_role("status").filter(has_text="Invalid").wait_for()

    assert send(f"{sandbox.base_url}/models", key=key).error["code"] == "invalid_api_key"
    assert key not in json.dumps(page.content())
