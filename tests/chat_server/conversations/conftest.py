"""A place for files that goes with the test; a tenant, and who talks there; the sandbox's customers for erasures."""

from pathlib import Path
from typing import Any

import pytest

from tests.chat_server.conversations.talk import Talker
from tests.key_health.conftest import _sandbox, alder, birch, sandbox
from tests.tenants.cast import give_assistant, register

__all__ = ["_sandbox", "alder", "birch", "sandbox"]


@pytest.fixture(autouse=True)
def files_dir(tmp_path: Path, settings: Any) -> Path:
    place = tmp_path / "chat_files"
    storage = {
        **settings.CHAT_FILES_STORAGE,
        "OPTIONS": {**settings.CHAT_FILES_STORAGE["OPTIONS"], "location": str(place)},
    }
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return place


@pytest.fixture
def ann() -> Talker:
    tenant = register("Acorn")
    return Talker.at(tenant, give_assistant(tenant))
