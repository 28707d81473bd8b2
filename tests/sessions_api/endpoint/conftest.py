"""One platform process that all tests of the endpoint share, and a site whose own secrets outlive each test."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from encryption.models import SiteSecret, forget_site_secrets, site_secret
from sandbox.testing import Sandbox, running_sandbox
from tenants.models import ConfigEpoch
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for, open_shop

# Grows through the run: emptying the tables starts the epoch anew, and a process must never see an old number again.
_epochs = itertools.count(int(time.time()) * 1000, 1000)


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def site_secrets(django_db_setup: None, django_db_blocker: Any) -> list[SiteSecret]:
    """The site's own secrets, which are never rotated: each test finds the ones that the shared process knows."""
    with django_db_blocker.unblock():
        forget_site_secrets()
        for name in ("public_id", "fingerprint"):
            site_secret(name)
        rows = list(SiteSecret.objects.all())
        SiteSecret.objects.all().delete()
    forget_site_secrets()
    return rows


@pytest.fixture(scope="session")
def shared_platform(
    shared_sandbox: Sandbox, site_secrets: list[SiteSecret], django_db_blocker: Any
) -> Iterator[Platform]:
    with django_db_blocker.unblock():
        SiteSecret.objects.bulk_create(site_secrets)
    with running_platform(**environment_for(shared_sandbox)) as platform:
        with django_db_blocker.unblock():
            SiteSecret.objects.all().delete()
        yield platform


@pytest.fixture
def same_site(transactional_db: None, site_secrets: list[SiteSecret]) -> Iterator[None]:
    SiteSecret.objects.all().delete()
    SiteSecret.objects.bulk_create(site_secrets)
    forget_site_secrets()
    ConfigEpoch.objects.filter(pk=1).update(number=next(_epochs))
    yield
    forget_site_secrets()


@pytest.fixture
def sandbox(shared_sandbox: Sandbox, settings: Any) -> Sandbox:
    shared_sandbox.reset()
    settings.OPENAI_BASE_URLS = {"openai": shared_sandbox.base_url}
    settings.CHATKIT_JS_URLS = {"openai": shared_sandbox.chatkit_js}
    return shared_sandbox


@pytest.fixture
def backends_die(on_services: None, transactional_db: None) -> Iterator[None]:
    """For a test that kills connections: the test's own is one of them."""
    yield
    connection.close()
    connection.close_pool()


@pytest.fixture
def platform(same_site: None, shared_platform: Platform, sandbox: Sandbox) -> Platform:
    return shared_platform


@pytest.fixture
def own_platform(sandbox: Sandbox, same_site: None) -> Iterator[Platform]:
    """For a test that makes the host fail: its breaker must not be that of the next test."""
    with running_platform(**environment_for(sandbox)) as platform:
        yield platform


@pytest.fixture
def shop(same_site: None, sandbox: Sandbox) -> Shop:
    return open_shop(sandbox)
