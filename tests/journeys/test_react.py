"""The guide's own React component opens a first session as it stands; ours also stays the same visitor when it renews."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from sandbox.testing import Sandbox
from tests.journeys.commands import manage
from tests.journeys.demo import ROOT, Demo, free_ports
from tests.journeys.websites import website

pytestmark = [pytest.mark.demo, pytest.mark.browser]

# The stand-in renews at half of a life as short as this.
LIFETIME = 12


def build(script: str, out: Path, **environment: str) -> Path:
    """One of the front end's builds, into a folder of the test's own."""
    done = subprocess.run(
        ["bash", "frontend/run.sh", script, "--", "--outDir", str(out), "--emptyOutDir"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def register(demo: Demo, slug: str, origin: str) -> str:
    answer = manage(
        demo,
        *("register_tenant", "--name", slug.title(), "--slug", slug, "--domain", origin, "--allow-http"),
        *("--assistant-name", slug.title(), "--workflow", f"wf_sandbox_{slug}", "--upstream", "sandbox"),
        OPENAI_API_KEY=f"sk-sandbox-{slug * 6}",
    )
    manage(
        demo,
        "shell",
        "-c",
        f"from tenants.models import Assistant; Assistant.objects.filter(tenant__slug='{slug}').update(expires_after={LIFETIME})",
    )
    return str(json.loads(answer.stdout)["public_id"])


def chat(page: Page, text: str) -> None:
    page.get_by_test_id("composer").fill(text)
    page.get_by_test_id("send").click()
    expect(page.locator('[data-testid="message"][data-role="assistant"]').last).to_contain_text(text)


def users_of(demo: Demo, workflow: str, *, at_least: int) -> list[str]:
    """The upstream users of this workflow's sessions, oldest first, once there are so many."""
    deadline = time.monotonic() + 45
    while time.monotonic() < deadline:
        users = [
            call["user"]
            for call in Sandbox(demo.sandbox).creates()
            if call["workflow"] == workflow and "healthcheck" not in call["user"]
        ]
        if len(users) >= at_least:
            return users
        time.sleep(0.5)
    raise AssertionError(f"Fewer than {at_least} sessions were created within 45 s.")


def test_the_guides_component_as_it_stands_chats_and_its_refresh_is_a_new_visitor(
    demo: Demo, page: Page, tmp_path: Path
) -> None:
    port = free_ports()
    public_id = register(demo, "guide", f"http://127.0.0.1:{port}")
    out = build(
        "build:guide",
        tmp_path / "guide",
        VITE_API_URL=f"{demo.platform}/api/v1/tenants/{public_id}",
        VITE_CHATKIT_JS_URL=f"{demo.sandbox}/chatkit.js",
    )

    with website(port, tmp_path, kind="static", root=str(out)) as origin:
        page.goto(origin)
        chat(page, "hello from the guide")
        users = users_of(demo, "wf_sandbox_guide", at_least=2)

    assert len(set(users)) == len(users)


def test_our_component_stays_the_same_visitor_when_it_renews(demo: Demo, page: Page, tmp_path: Path) -> None:
    port = free_ports()
    public_id = register(demo, "ours", f"http://127.0.0.1:{port}")
    out = build("build:react", tmp_path / "react")
    config = {"apiUrl": f"{demo.platform}/api/v1/tenants/{public_id}", "chatkitJsUrl": f"{demo.sandbox}/chatkit.js"}

    with website(port, tmp_path, kind="static", root=str(out), config=config) as origin:
        page.goto(origin)
        chat(page, "hello from react")
        users = users_of(demo, "wf_sandbox_ours", at_least=2)

    assert len(set(users)) == 1
