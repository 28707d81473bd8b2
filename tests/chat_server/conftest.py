"""One platform process with SERVE_CHAT that the tests of the chat endpoint share, and a tenant whose assistant it serves."""

from collections.abc import Iterator
from typing import Any

import pytest

from audit.record import SYSTEM
from encryption.models import SiteSecret
from sandbox.testing import Sandbox
from tenants.domains import allow_domain
from tests.chat_server.chat_cast import Chat, Talker
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import ORIGIN, Shop, environment_for
from tests.sessions_api.endpoint.conftest import same_site, sandbox, shared_sandbox, site_secrets
from tests.tenants.cast import give_chat, give_key, register

__all__ = ["same_site", "sandbox", "shared_sandbox", "site_secrets"]


def chat_environment(sandbox: Sandbox) -> dict[str, str]:
    """As for sessions; and limits on messages that no test of something else meets."""
    return {
        **environment_for(sandbox),
        "SERVE_CHAT": "1",
        "MESSAGES_PER_MINUTE_TENANT": "100000",
        "MESSAGES_PER_MINUTE_VISITOR": "100000",
    }


@pytest.fixture(scope="session")
def shared_chat_platform(
    shared_sandbox: Sandbox, site_secrets: list[SiteSecret], django_db_blocker: Any
) -> Iterator[Platform]:
    with django_db_blocker.unblock():
        SiteSecret.objects.all().delete()
        SiteSecret.objects.bulk_create(site_secrets)
    with running_platform(**chat_environment(shared_sandbox)) as platform:
        with django_db_blocker.unblock():
            SiteSecret.objects.all().delete()
        yield platform


def open_chat_shop(sandbox: Sandbox, name: str = "Cedar", *, origin: str = ORIGIN, **fields: Any) -> Shop:
    """A tenant with a key, a website and an assistant that the platform serves."""
    key_text = sandbox.add_key()
    tenant = register(name, **fields)
    key = give_key(tenant, key_text)
    assistant = give_chat(tenant, key, is_default=True)
    allow_domain(tenant=tenant, text=origin, actor=SYSTEM)
    return Shop(tenant, key, assistant, key_text, origin)


@pytest.fixture
def chat_shop(same_site: None, sandbox: Sandbox) -> Shop:
    return open_chat_shop(sandbox)


@pytest.fixture
def chat(shared_chat_platform: Platform, sandbox: Sandbox, chat_shop: Shop) -> Chat:
    return Chat(shared_chat_platform, sandbox, chat_shop)


@pytest.fixture
def own_chat(sandbox: Sandbox, chat_shop: Shop) -> Iterator[Chat]:
    """For a test that ends the process, or makes its host fail."""
    with running_platform(**chat_environment(sandbox)) as platform:
        yield Chat(platform, sandbox, chat_shop)


@pytest.fixture
def talker(chat: Chat) -> Talker:
    return chat.talker()
