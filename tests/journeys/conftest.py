from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.demo import Demo, running_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all journeys; each registers or uses what no other one changes."""
    # Short checks, so that a key killed in the sandbox is found while the test waits; all that the logs can say.
    with running_demo(tmp_path_factory.mktemp("demo"), CHECK_INTERVAL="3", LOG_LEVEL="DEBUG") as demo:
        yield demo


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Per module, not per session: while Playwright runs, no test with an event loop of its own can."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A new visitor: a context of its own, without stored anything."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a journey leaves its screenshots; CHATKIT_PICTURES names a folder to keep them in."""
    import os

    folder = Path(os.environ.get("CHATKIT_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
