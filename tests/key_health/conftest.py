"""A sandbox in place of OpenAI, and tenants whose keys it knows."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import Sandbox, running_sandbox
from tests.key_health.cast import Customer


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_sandbox: Sandbox, settings: Any) -> Sandbox:
    """Empty, and the only OpenAI that the platform knows."""
    _sandbox.reset()
    settings.OPENAI_BASE_URLS = {"openai": _sandbox.base_url}
    settings.CHATKIT_JS_URLS = {"openai": _sandbox.chatkit_js}
    return _sandbox


@pytest.fixture
def alder(sandbox: Sandbox, transactional_db: None) -> Customer:
    return Customer.join(sandbox, "Alder")


@pytest.fixture
def birch(sandbox: Sandbox, transactional_db: None) -> Customer:
    return Customer.join(sandbox, "Birch")
