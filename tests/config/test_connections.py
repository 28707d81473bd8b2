"""Whether the public door has a connection of the pool for each of its threads, whatever the console does."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from config.chat_door import ChatDoor
from config.lifespan import open_resources
from dashboards.probes import _scrapes

# It writes files, and touches no database.
WITHOUT_CONNECTION = {"session-spool"}


@pytest.mark.django_db(transaction=True)
def test_as_many_connections_are_kept_for_the_public_door_as_it_has_threads(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path / "spool"
    # Made at the first scrape, once for the process.
    metrics = _scrapes()._threads._threads
    before = set(threading.enumerate())

    async def at_work() -> set[str]:
        async with open_resources(()):
            names = {thread.name for thread in set(threading.enumerate()) - before}
        # Theirs belong to asyncio, and do what touches no database, or what is done before anybody is served.
        return {name for name in names if not name.startswith("asyncio")} - WITHOUT_CONNECTION

    assert len(asyncio.run(at_work())) + len(metrics) == site.PUBLIC_DOOR_CONNECTIONS


@pytest.mark.django_db(transaction=True)
def test_chats_have_connections_of_their_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = tmp_path / "spool"
    before = set(threading.enumerate())

    async def at_work() -> list[str]:
        async with open_resources((), ChatDoor("127.0.0.1")):
            return [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("chat")]

    assert len(asyncio.run(at_work())) == site.CHAT_CONNECTIONS


def test_the_console_has_turns_by_default() -> None:
    assert site.DATABASE_POOL_SIZE - site.PUBLIC_DOOR_CONNECTIONS >= 4
