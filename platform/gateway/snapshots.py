"""Tenants' configuration in memory, never more than two seconds behind the database while that answers.

One query every half second reads the configuration epoch, a number that every change raises. A snapshot is taken as
fresh when the epoch that it was loaded under was seen again in the last 1.5 s. While the database answers nothing at
all, one that was fresh lately serves on, up to 300 s; one that is known to be outdated never does. Then it is
`platform_unavailable`, never "unknown tenant": nobody may take an outage for a deletion.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from django.db import DatabaseError, InterfaceError

from encryption.secret import Secret
from gateway.database_threads import DatabaseThreads
from gateway.errors import Code, PublicError
from tenants.public_ids import is_genuine
from tenants.snapshot import TenantSnapshot

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
FRESH_SECONDS: Final = 1.5
STALE_SECONDS: Final = 300.0
# A database that takes longer than this to read one row answers nothing, as far as a visitor is concerned.
POLL_TIMEOUT: Final = 1.0
LOAD_TIMEOUT: Final = 2.5
RETRY_SECONDS: Final = 0.1
LOADERS: Final = 3
MAX_UNKNOWN: Final = 10_000
# A genuine id of no tenant is a deleted tenant's, and none comes back: not every change is a reason to look again.
UNKNOWN_SECONDS: Final = 60.0
# Whoever was asked for within this time is loaded anew after a change, before anybody waits for it.
WARM_SECONDS: Final = 600.0


class TenantSource(Protocol):
    """The database, as far as it is needed here; synchronous, run in threads."""

    def public_id_key(self) -> Secret: ...
    def epoch(self) -> int: ...
    def snapshot(self, public_id: str) -> TenantSnapshot | None: ...


class DatabaseSilent(Exception):
    """No answer, or none in time."""


@dataclass(slots=True)
class _Entry:
    snapshot: TenantSnapshot
    epoch: int
    asked_at: float


class SnapshotStore:
    """The cache of one process; every method runs on its event loop."""

    def __init__(self, source: TenantSource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        # The poll has a thread of its own: it must not queue up behind slow loads and seem unanswered.
        self._poll_thread = DatabaseThreads("epoch", size=1)
        self._loaders = DatabaseThreads("loader", size=LOADERS)
        self._public_id_key: Secret | None = None
        self._epoch = -1
        self._confirmed_at = float("-inf")
        self._is_answering = False
        self._entries: dict[str, _Entry] = {}
        # Genuine ids of no tenant (deleted ones), and when they were looked up.
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._loads: dict[str, asyncio.Task[TenantSnapshot | None]] = {}
        self._poll: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._epoch_changed = asyncio.Event()

    async def open(self) -> None:
        """Look once, then keep looking; a database that is down now may come up later."""
        await self.confirm()
        self._tasks = [asyncio.create_task(self._keep_polling()), asyncio.create_task(self._keep_warm())]

    async def close(self) -> None:
        tasks = [*self._tasks, *self._loads.values(), *([self._poll] if self._poll else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for threads in (self._poll_thread, self._loaders):
            await asyncio.to_thread(threads.close, seconds=1)

    @property
    def is_answering(self) -> bool:
        """Whether the database answered the last time it was asked."""
        return self._is_answering

    def seconds_since_confirmed(self) -> float:
        return self._clock() - self._confirmed_at

    async def get(self, public_id: str) -> TenantSnapshot | None:
        """The tenant's snapshot, None for an id of no tenant. Raises PublicError (platform_unavailable).

        Made-up ids cost no I/O: their tail shows that we never made them.
        """
        now = self._clock()
        entry = self._entries.get(public_id)
        if entry is None:
            if not await self._is_genuine(public_id):
                return None
        elif entry.epoch == self._epoch and now - self._confirmed_at <= FRESH_SECONDS:
            entry.asked_at = now
            return entry.snapshot
        return await self._look_up(public_id)

    async def confirm(self) -> None:
        """Read the epoch now, together with everybody else who wants to know; afterwards `is_answering` holds."""
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._read_epoch())
        await asyncio.shield(self._poll)

    async def _is_genuine(self, public_id: str) -> bool:
        if self._public_id_key is None:
            await self.confirm()
            if self._public_id_key is None:
                raise _unavailable("database_silent_at_start")
        return is_genuine(public_id, self._public_id_key)

    async def _look_up(self, public_id: str) -> TenantSnapshot | None:
        if self._usable(public_id) is None:
            await self._wait_for_answer()
        elif self._is_answering and self._clock() - self._confirmed_at > FRESH_SECONDS:
            # While the database is silent nobody waits for it who can go on without.
            await self.confirm()
        if self._is_answering:
            entry = self._entries.get(public_id)
            if entry is not None and entry.epoch == self._epoch:
                return entry.snapshot
            if self._clock() - self._unknown.get(public_id, float("-inf")) <= UNKNOWN_SECONDS:
                return None
            try:
                return await self._load_with_others(public_id)
            except DatabaseSilent:
                logger.warning("The database does not answer: a tenant could not be loaded")
        usable = self._usable(public_id)
        if usable is None:
            raise _unavailable("database_silent")
        return usable.snapshot

    async def _wait_for_answer(self) -> None:
        """A little patience for whoever has nothing to go on with."""
        until = time.monotonic() + LOAD_TIMEOUT
        while not self._is_answering and time.monotonic() < until:
            await self.confirm()
            if not self._is_answering:
                await asyncio.sleep(RETRY_SECONDS)

    def _usable(self, public_id: str) -> _Entry | None:
        """What may serve while the database is silent: current as far as we know, and not for too long."""
        entry = self._entries.get(public_id)
        if entry is None or entry.epoch != self._epoch or self._clock() - self._confirmed_at > STALE_SECONDS:
            return None
        return entry

    async def _load_with_others(self, public_id: str) -> TenantSnapshot | None:
        """One load for all who wait for the same tenant, whichever of them gives up."""
        task = self._loads.get(public_id)
        if task is None:
            task = self._loads[public_id] = asyncio.create_task(self._load(public_id))
            task.add_done_callback(lambda _: self._loads.pop(public_id, None))
        return await asyncio.shield(task)

    async def _load(self, public_id: str) -> TenantSnapshot | None:
        # The epoch from before the load: what changes meanwhile raises it, and the entry is outdated at once.
        epoch = self._epoch
        try:
            snapshot = await self._loaders.run(lambda: self._source.snapshot(public_id), seconds=LOAD_TIMEOUT)
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            raise DatabaseSilent from error
        if snapshot is None:
            self._entries.pop(public_id, None)
            self._unknown[public_id] = self._clock()
            self._unknown.move_to_end(public_id)
            if len(self._unknown) > MAX_UNKNOWN:
                self._unknown.popitem(last=False)
            return None
        known = self._entries.get(public_id)
        self._entries[public_id] = _Entry(snapshot, epoch, known.asked_at if known else self._clock())
        return snapshot

    async def _read_epoch(self) -> None:
        asked_at = self._clock()
        try:
            epoch = await self._poll_thread.run(self._ask_source, seconds=POLL_TIMEOUT)
        except Exception as error:
            if self._is_answering or self._epoch == -1:
                logger.warning("The database does not answer (%s): cached tenants go on", type(error).__name__)
            self._is_answering = False
            return
        if not self._is_answering and self._epoch != -1:
            logger.info("The database answers again")
        self._is_answering = True
        self._confirmed_at = asked_at
        if epoch != self._epoch:
            self._epoch = epoch
            self._epoch_changed.set()

    def _ask_source(self) -> int:
        if self._public_id_key is None:
            self._public_id_key = self._source.public_id_key()
        return self._source.epoch()

    async def _keep_polling(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.confirm()

    async def _keep_warm(self) -> None:
        """After a change, load anew whom visitors asked for lately: nobody waits, and an outage finds them current."""
        while True:
            await self._epoch_changed.wait()
            self._epoch_changed.clear()
            since = self._clock() - WARM_SECONDS
            for public_id, entry in list(self._entries.items()):
                if entry.epoch == self._epoch:
                    continue
                if entry.asked_at < since:
                    self._entries.pop(public_id, None)
                    continue
                try:
                    await self._load_with_others(public_id)
                except DatabaseSilent:
                    break
                except Exception:
                    logger.exception("A tenant could not be loaded")


def _unavailable(reason: str) -> PublicError:
    return PublicError(Code.PLATFORM_UNAVAILABLE, reason=reason)
