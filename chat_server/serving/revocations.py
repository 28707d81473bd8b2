"""Whose chat tokens count no more: visitors who signed out or were erased, known to each process within a second.

One indexed query every half second reads what is new. While the database is silent, what is known goes on counting.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Final

from gateway.chat_tokens import CLOCK_SKEW, MAX_LIFETIME, ChatGrant
from gateway.database_threads import DatabaseThreads
from sessions_api.models import RevokedVisitor

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
POLL_TIMEOUT: Final = 2.0
# No token is older than its lifetime, so no older revocation says anything about one.
KEEP_SECONDS: Final = MAX_LIFETIME + 2 * CLOCK_SKEW
# A revocation is dated when its transaction begins, and by the clock of another machine.
OVERLAP_SECONDS: Final = CLOCK_SKEW


class Revocations:
    """Of one process; every method runs on its event loop."""

    def __init__(self) -> None:
        # A thread of its own: the poll must not queue up behind slow conversations.
        self._threads = DatabaseThreads("chat-watch", size=1)
        self._revoked_at: dict[str, int] = {}
        self._seen_until = 0.0
        self._is_failing = False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.look()
        self._task = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._threads.close, seconds=1)

    def name(self, grant: ChatGrant) -> bool:
        """Whether the token of this grant counts no more: it was issued in the second of the revocation, or before."""
        revoked_at = self._revoked_at.get(grant.visitor_ref)
        return revoked_at is not None and grant.issued_at <= revoked_at

    async def look(self) -> None:
        now = time.time()
        since = max(now - KEEP_SECONDS, self._seen_until - OVERLAP_SECONDS)
        try:
            found = await self._threads.run(lambda: _revoked_since(since), seconds=POLL_TIMEOUT)
        except Exception as error:
            if not self._is_failing:
                logger.warning("Revoked visitors could not be read (%s): what is known goes on", type(error).__name__)
            self._is_failing = True
            return
        self._is_failing = False
        self._seen_until = now
        self._revoked_at.update(found)
        if any(at < now - KEEP_SECONDS for at in self._revoked_at.values()):
            self._revoked_at = {ref: at for ref, at in self._revoked_at.items() if at >= now - KEEP_SECONDS}

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.look()


def _revoked_since(moment: float) -> dict[str, int]:
    rows = RevokedVisitor.objects.filter(revoked_at__gte=datetime.fromtimestamp(moment, UTC))
    return {ref: int(at.timestamp()) for ref, at in rows.values_list("ref", "revoked_at")}
