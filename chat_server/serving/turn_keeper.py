"""Keeps the turns of the answers that this process makes, until each has ended (chat_server/turns.py)."""

import asyncio
import logging
from functools import partial
from typing import Final

from chat_server import turns
from chat_server.turns import CLAIM_SECONDS, Turn
from gateway.database_threads import DatabaseThreads

logger = logging.getLogger(__name__)

# Three renewals may fail before a turn is lost.
RENEW_SECONDS: Final = CLAIM_SECONDS / 4
_DATABASE_SECONDS: Final = 5.0


class TurnKeeper:
    """Of one process; every method runs on its event loop."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._held: set[Turn] = set()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._keep_renewing())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def hold(self, turn: Turn) -> None:
        self._held.add(turn)

    async def give_back(self, turn: Turn | None) -> None:
        """Raises nothing: a turn that can't be given back expires."""
        if turn is None:
            return
        self._held.discard(turn)
        if not turn.thread_id:
            return
        try:
            await self._threads.run(lambda: turns.release(turn), seconds=_DATABASE_SECONDS)
        except Exception as failure:
            logger.warning("A conversation stays busy for half a minute (%s)", type(failure).__name__)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            held = tuple(self._held)
            if not held:
                continue
            try:
                await self._threads.run(partial(turns.renew, held), seconds=_DATABASE_SECONDS)
            except Exception as failure:
                logger.warning("Turns in conversations could not be renewed (%s)", type(failure).__name__)
