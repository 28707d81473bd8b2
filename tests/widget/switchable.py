"""An assistant with a workflow and a published version, which may be switched either way while its page is open."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from audit.record import SYSTEM
from tenants.domains import allow_domain
from tenants.models import Assistant
from tenants.models.assistant import Backend
from tenants.switch import switch_backend
from tests.platform_server import running_platform
from tests.sessions_api.cast import environment_for, open_shop
from tests.tenants.cast import give_version

UPDATED = "The chat was updated. Earlier messages are not carried over."


@pytest.fixture
def chats(same_site, sandbox):
    """A process of its own that serves chats, and says its own address in the public configuration."""
    with running_platform(
        **environment_for(sandbox),
        SERVE_CHAT="1",
        PLATFORM_URL="http://127.0.0.1:{port}",
        CHATKIT_FRAME_ORIGINS=sandbox.url,
    ) as platform:
        yield platform


@pytest.fixture
def shop(sandbox, website, chats):
    shop = open_shop(sandbox)
    give_version(shop.assistant)
    allow_domain(tenant=shop.tenant, text=website.origin, actor=SYSTEM, allow_http=True)
    website.tag = f'src="{chats.url}/widget/v1/embed.js" data-tenant="{shop.public_id}"'
    return shop


def switch(chats, shop, to):
    switch_backend(assistant=Assistant.objects.get(pk=shop.assistant.pk), to=to, actor=SYSTEM)
    chats.wait_for_configuration()


def in_another_thread(deed, *arguments):
    """Beside a browser: Playwright's loop is this thread's."""

    def work():
        try:
            deed(*arguments)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()


def frame_of(page):
    """Custom mode's chat is in a frame of another origin, as OpenAI's is."""
    return page.frame_locator("openai-chatkit iframe")


def chat_of(page, backend):
    return frame_of(page) if backend == Backend.PLATFORM else page


def write(chat, text):
    chat.get_by_test_id("composer").fill(text)
    chat.get_by_test_id("send").click()
