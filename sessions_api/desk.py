"""What the session endpoint works with; opened by config.lifespan, one per process."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Final, cast

from django.http import HttpRequest

from chatkit_client.client import ChatKitClient
from gateway.database_threads import DatabaseThreads
from gateway.resources import Gateway, state_of
from sessions_api.refusals import RefusalFold
from sessions_api.sightings import RevokedHere
from sessions_api.visitor_links import VisitorLinks
from sessions_api.writer import GroupedWriter, WriteFailed

logger = logging.getLogger(__name__)

STATE_KEY: Final = "sessions"
FOLD_SECONDS: Final = 5
WRITE_SECONDS: Final = 5.0


class Desk:
    def __init__(self, *, gateway: Gateway, client: ChatKitClient, writer: GroupedWriter) -> None:
        self.gateway = gateway
        self.client = client
        self.writer = writer
        self.fold = RefusalFold()
        self.links = VisitorLinks()
        self.revoked = RevokedHere()
        # For what is written neither often nor in groups: a visitor signs out.
        self.threads = DatabaseThreads("sign-out", size=1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._folding: asyncio.Task[None] | None = None

    def open(self) -> None:
        self.writer.start()
        self._folding = asyncio.create_task(self._write_folded())

    async def close(self, *, seconds: float) -> None:
        """Let what was begun beside the answers end, write what is still counted, and flush."""
        if self._folding is not None:
            self._folding.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        await self._write_counted(before_minute=_minute() + 1)
        await asyncio.to_thread(self.writer.close, seconds=seconds)
        await asyncio.to_thread(self.links.close, seconds=seconds)
        await asyncio.to_thread(self.threads.close, seconds=seconds)

    def aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this without letting an answer wait for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_folded(self) -> None:
        while True:
            await asyncio.sleep(FOLD_SECONDS)
            await self._write_counted(before_minute=_minute())

    async def _write_counted(self, *, before_minute: int) -> None:
        rows = self.fold.take_counted(before_minute=before_minute)
        if not rows:
            return
        try:
            await self.writer.write(*rows, seconds=WRITE_SECONDS, is_essential=False)
        except WriteFailed as failure:
            logger.warning("%d counted refusals were not recorded: %s", sum(row.count for row in rows), failure)


def desk_of(request: HttpRequest) -> Desk:
    """The desk of the process that serves this request, handed on by ASGI's lifespan state."""
    return cast(Desk, state_of(request, STATE_KEY))


def _minute() -> int:
    return int(time.time() // 60)
