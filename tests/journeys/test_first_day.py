"""The main job, in the demo's own processes: a tenant is registered, its page chats, its key dies, and all of it shows."""

import re
import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.testing import Sandbox
from tests.journeys.demo import Demo, free_ports
from tests.journeys.websites import website

pytestmark = [pytest.mark.demo, pytest.mark.browser]

LAUNCHER = "chatkit-platform .launcher"
WIDGET = "chatkit-platform"


class Walk:
    """One journey's pages and pictures."""

    def __init__(self, demo: Demo, page: Page, pictures: Path) -> None:
        self.demo, self.page, self.pictures = demo, page, pictures
        self.number = 0

    def picture(self, name: str, page: Page | None = None) -> None:
        self.number += 1
        (page or self.page).screenshot(path=self.pictures / f"{self.number:02d}-{name}.png", full_page=True)

    def log_in(self) -> None:
        admin = self.demo.facts["admin"]
        self.page.goto(admin["url"])
        self.page.get_by_label("Username").fill(admin["username"])
        self.page.get_by_label("Password").fill(admin["password"])
        self.picture("login")
        self.page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).click()
        expect(self.page.get_by_text("Operations").first).to_be_visible()
        self.picture("index")

    def save(self) -> None:
        self.page.locator('input[name="_save"], button[name="_save"]').first.click()

    def register_tenant(self, origin: str) -> None:
        page = self.page
        page.goto(f"{self.demo.platform}/admin/tenants/tenant/add/")
        page.locator("#id_name").fill("Cedar Cafe")
        page.locator("#id_upstream").select_option("sandbox")
        page.locator("#id_fallback_text").fill("We are at the counter. Call us.")
        page.locator("#id_fallback_url").fill("tel:+123456789")
        page.locator("#id_domains-0-entry").fill("https://cedar.example/menu")
        self.save()
        expect(page.locator(".errorlist").first).to_be_visible()
        self.picture("bad-domain")
        page.locator("#id_domains-0-entry").fill(origin)
        page.locator("#id_domains-0-allow_http").check()
        self.save()
        expect(page.get_by_text("is registered").first).to_be_visible()
        self.picture("registered")

    def add_key(self, key: str) -> None:
        page = self.page
        page.get_by_role("link", name=re.compile("add .*key", re.IGNORECASE)).first.click()
        page.locator("#id_label").fill("production")
        page.locator("#id_api_key").fill("sk-admin-" + "x" * 40)
        self.save()
        expect(page.locator(".errorlist").first).to_be_visible()
        assert "x" * 12 not in page.content()
        self.picture("bad-key")
        page.locator("#id_api_key").fill(key)
        self.save()
        expect(page.get_by_text(f"sk-…{key[-4:]}").first).to_be_visible()
        assert key not in page.content()

    def add_assistant(self, tenant: str, workflow: str) -> None:
        page = self.page
        page.goto(tenant)
        page.get_by_role("link", name=re.compile("add .*assistant", re.IGNORECASE)).first.click()
        page.locator("#id_name").fill("Cedar assistant")
        page.locator("#id_workflow_id").fill(workflow)
        page.locator("#id_workflow_version").fill("latest")
        self.save()
        expect(page.get_by_text("fails at the first message").first).to_be_visible()
        self.picture("latest-refused")
        page.locator("#id_workflow_version").fill("")
        self.save()
        page.goto(tenant)
        self.picture("tenant-ready")


def test_from_registration_to_a_dead_key(
    demo: Demo, page: Page, browser: Browser, pictures: Path, tmp_path: Path
) -> None:
    walk = Walk(demo, page, pictures)
    sandbox = Sandbox(demo.sandbox)
    key, workflow = "sk-sandbox-" + secrets.token_hex(20), f"wf_sandbox_cedar{secrets.token_hex(4)}"
    port = free_ports()
    origin = f"http://127.0.0.1:{port}"
    violations: list[str] = []
    page.on(
        "console",
        lambda message: violations.append(message.text) if "Content Security Policy" in message.text else None,
    )

    # The admin registers a tenant; what is wrong is refused with a cure.
    walk.log_in()
    walk.register_tenant(origin)
    tenant = page.url
    walk.add_key(key)
    walk.add_assistant(tenant, workflow)
    snippet = page.locator("pre, code").filter(has_text="<script async").first.inner_text().strip()
    public_id = re.search(r"tn_[0-9A-Za-z]{28}", snippet)[0]  # type: ignore[index]

    # The tenant's developer pastes it; a visitor chats.
    with website(port, tmp_path, kind="tenant", title="Cedar Cafe", snippet=snippet, chatkit=demo.sandbox):
        visitor = browser.new_context().new_page()
        visitor.set_default_timeout(20_000)
        visitor.goto(origin)
        expect(visitor.locator(LAUNCHER)).to_be_visible()
        assert visitor.evaluate("localStorage.length") == 0
        visitor.locator(LAUNCHER).click()
        expect(visitor.locator(WIDGET)).to_have_attribute("data-state", "ready")
        visitor.get_by_test_id("composer").fill("Are you open today?")
        visitor.get_by_test_id("send").click()
        expect(visitor.locator('[data-testid="message"][data-role="assistant"]').last).to_contain_text(
            "Are you open today?"
        )
        walk.picture("chat", visitor)

        # A stranger's page carries another tenant's snippet: it is refused, says why, and nothing reaches OpenAI.
        before = len(sandbox.creates())
        stranger = browser.new_context().new_page()
        said: list[str] = []
        stranger.on("console", lambda message: said.append(message.text))
        stranger.goto(demo.facts["stranger"]["page"])
        stranger.locator(LAUNCHER).click()
        expect(stranger.locator(WIDGET)).to_have_attribute("data-state", "refused")
        expect(stranger.get_by_text("may not open this chat")).to_be_visible()
        walk.picture("stranger", stranger)
        assert any("origin_not_allowed" in line for line in said)
        assert len(sandbox.creates()) == before

        # The key dies: within a check the list and the operations page say so, and a visitor sees the fallback.
        sandbox.set_key(key, "invalid")
        page.goto(f"{demo.platform}/admin/tenants/tenant/")
        row = page.locator("tr", has_text="Cedar Cafe")
        for _ in range(60):
            page.reload()
            if "refused" in row.inner_text():
                break
            page.wait_for_timeout(500)
        expect(row).to_contain_text("refused")
        walk.picture("list-with-dead-key")
        page.goto(f"{demo.platform}/admin/operations/")
        expect(page.get_by_role("cell", name="Cedar Cafe").first).to_be_visible()
        walk.picture("operations")
        late = browser.new_context().new_page()
        late.goto(origin)
        late.locator(LAUNCHER).click()
        expect(late.locator(WIDGET)).to_have_attribute("data-state", "unavailable")
        expect(late.get_by_text("We are at the counter")).to_be_visible()
        walk.picture("unavailable", late)

    # All of it stands in the audit, and nothing in the console broke its policy.
    page.goto(f"{demo.platform}/admin/audit/auditevent/")
    walk.picture("audit")
    listed = page.content()
    for action in ("tenant:created", "key:added", "assistant:created", "key:verdict_changed", "login:succeeded"):
        assert action in listed, action
    assert violations == []
    assert key not in listed
    assert public_id not in demo.facts["tenants"][0].values()
