"""Where the counters of quotas come from, and what keeps them true: the sessions that were granted, as the database has them.

A counter is at least what the database says. It is made when it is missing (Redis was emptied or restarted, a new day, a
quota that is new), and whoever asks waits for that. It is compared again from time to time, without anybody waiting: so
what was granted while Redis was away, or while the tenant had no quota, is counted after all.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from django.db import DatabaseError, InterfaceError

from gateway.database_threads import DatabaseThreads

logger = logging.getLogger(__name__)

COUNT_SECONDS: Final = 2.0
# After a failure nobody asks the database for this long.
LATCH_SECONDS: Final = 5.0
COMPARE_SECONDS: Final = 60.0
# Where each process counts for itself: what the others grant shows only in the database.
COMPARE_SECONDS_ALONE: Final = 10.0
THREADS: Final = 2
MOST_REMEMBERED: Final = 20_000


class Counted(Protocol):
    """A quota or a budget: something of which the database knows how much is used."""

    @property
    def key(self) -> str: ...


C = TypeVar("C", bound=Counted)
Asked = TypeVar("Asked", contravariant=True)


class UsageSource(Protocol[Asked]):
    """The database, as far as it is needed here; synchronous, run in threads."""

    def used(self, quota: Asked, /) -> int: ...


class QuotaCounters(Generic[C]):
    """Counts of one process; every method runs on its event loop. `raise_to` hands a count on to whoever decides."""

    def __init__(
        self, source: UsageSource[C], raise_to: Callable[[C, int], Awaitable[None]], *, name: str = "quotas"
    ) -> None:
        self._source = source
        self._raise_to = raise_to
        self._name = name
        self._threads = DatabaseThreads(name, size=THREADS)
        self._counting: dict[str, asyncio.Task[None]] = {}
        self._compared_at: dict[str, float] = {}
        self._latched_until = 0.0

    async def close(self) -> None:
        tasks = list(self._counting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.close, seconds=1)

    async def make(self, quotas: Sequence[C]) -> None:
        """Count now, together with everybody else who waits for the same; afterwards there are counters, if possible."""
        if time.monotonic() >= self._latched_until:
            await asyncio.gather(*[asyncio.shield(self._count(quota)) for quota in quotas])

    def compare(self, quotas: Sequence[C], *, alone: bool) -> None:
        """Count again what was not compared for a while, beside the answers."""
        now = time.monotonic()
        oldest = now - (COMPARE_SECONDS_ALONE if alone else COMPARE_SECONDS)
        for quota in quotas:
            if self._compared_at.get(quota.key, float("-inf")) < oldest and now >= self._latched_until:
                self._count(quota)

    def _count(self, quota: C) -> asyncio.Task[None]:
        task = self._counting.get(quota.key)
        if task is None:
            task = self._counting[quota.key] = asyncio.create_task(self._count_and_tell(quota))
            task.add_done_callback(lambda _: self._counting.pop(quota.key, None))
        return task

    async def _count_and_tell(self, quota: C) -> None:
        if len(self._compared_at) >= MOST_REMEMBERED:
            self._compared_at.clear()
        self._compared_at[quota.key] = time.monotonic()
        try:
            used = await self._threads.run(lambda: self._source.used(quota), seconds=COUNT_SECONDS)
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            self._latched_until = time.monotonic() + LATCH_SECONDS
            logger.warning("What is used of %s could not be counted (%s)", self._name, type(error).__name__)
            return
        await self._raise_to(quota, used)
