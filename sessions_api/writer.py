"""The grouped writer: rows of many requests in one transaction, durable before anybody is answered.

Requests put their rows into a queue and wait. One thread takes all that lies there and writes it at once, so the first
comer is written immediately and those who come meanwhile ride in the next flush as one multi-row insert.

What can go wrong, and what then happens:
    a dead connection         closed, and the whole flush once more; rows carry ids of our own making, so those that an
                              unanswered commit had written after all are left out
    one bad row               its request's rows fail alone: the flush is repeated request by request
    a revoked visitor         its request's rows are left out, and it gets `VisitorRevoked`
    the database is away, or  the rows go to the spool (spool.py), and the request is answered when they are on the disk;
    takes longer than 1.5 s   replay.py writes them later. Nobody knows whether a slow flush still succeeds, and nobody
                              needs to: the replay passes over ids that are there
    and the spool refuses     `WriteFailed`
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final

from django.db.models import Model

from sessions_api.groups import Entry, Groups
from sessions_api.replay import Replay
from sessions_api.rows import insert_rows, is_away, on_kept_connection
from sessions_api.sightings import Sighting, VisitorRevoked, revocations
from sessions_api.spool import Spool, SpoolRefuses
from sessions_api.spool_lines import to_line

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 5_000
PATIENCE_SECONDS: Final = 1.5
# How far apart flushes begin: under load a few requests gather, since a flush of eight costs hardly more than one of one.
APART_SECONDS: Final = 0.003
# Refusals may fill the spool up to here; the rest is for grants.
INESSENTIAL_SHARE: Final = 0.5


class WriteFailed(Exception):
    """The rows are not recorded.

    Only where the spool refuses while a flush hangs may they turn up in the database after all.
    """


@dataclass(slots=True)
class _Counts:
    rows: int = 0
    flushes: int = 0
    spooled: int = 0


class GroupedWriter:
    """Three threads and their queues; made on the event loop whose requests write.

    `is_answering` says what the process knows of the database besides: while it is silent, nobody waits for it.
    """

    def __init__(self, spool: Spool | None = None, *, is_answering: Callable[[], bool] = lambda: True) -> None:
        self.spool = spool
        self.counts = _Counts()
        self._is_answering = is_answering
        self._is_away = False
        self._database = Groups("session-writer", self._flush, apart=APART_SECONDS)
        self._spooling = Groups("session-spool", self._write_to_spool)
        self._replay = None if spool is None else Replay(spool, on_written=self._back)

    def start(self) -> None:
        self._database.start()
        self._spooling.start()
        if self._replay is not None:
            self._replay.start()

    @property
    def is_spooling(self) -> bool:
        """Whether rows go to the spool just now, because the database does not take them."""
        return self.spool is not None and not self.spool.problem and (self._is_away or not self._is_answering())

    @property
    def refuses(self) -> str:
        """Why a session that is minted now could not be recorded; empty where it could be."""
        if self._is_full:
            return "writer_full"
        if self.is_spooling:
            return "" if self.spool is None or self.spool.accepts() else "spool_full"
        return "" if self._is_answering() else "database_silent"

    @property
    def _is_full(self) -> bool:
        return max(self._database.waiting, self._spooling.waiting) >= MAX_WAITING

    async def write(
        self, *rows: Model, seconds: float, unless_revoked: Sighting | None = None, is_essential: bool = True
    ) -> bool:
        """Returns when the rows are committed (True) or in the spool (False).

        Raises WriteFailed, also when both take too long, and VisitorRevoked; while the database is away revocations can't
        be read. What is not essential is not spooled when the spool is half full.
        """
        if self._is_full:
            raise WriteFailed("The writer is too far behind.")
        loop = asyncio.get_running_loop()
        entry = Entry(rows, unless_revoked, is_essential, loop, loop.create_future())
        patience = None
        if self.is_spooling:
            self._spooling.put(entry)
        else:
            entry.in_database = True
            self._database.put(entry)
            if self.spool is not None:
                patience = loop.call_later(PATIENCE_SECONDS, self._spool_as_well, entry)
        try:
            async with asyncio.timeout(seconds):
                await entry.done
        except TimeoutError:
            raise WriteFailed("The database takes too long.") from None
        finally:
            if patience is not None:
                patience.cancel()
        return entry.is_committed

    def close(self, *, seconds: float) -> None:
        """Write what is queued, then end the threads; blocks, so call it from another thread than the loop's."""
        for entry in self._database.close(seconds=seconds):
            entry.in_database = False
            self._spooling.put(entry)
        lost = self._spooling.close(seconds=seconds)
        if lost:
            logger.error("The session writer did not end in time; %d requests' rows are lost", len(lost))
        if self._replay is not None:
            self._replay.close(seconds=seconds, is_last_round=not self._is_away)

    def _flush(self, group: list[Entry]) -> None:
        began = time.monotonic()
        try:
            revoked = on_kept_connection(lambda once_more: _write(group, once_more=once_more))
        except Exception as error:
            self._flush_failed(group, error)
            return
        for entry in group:
            entry.is_committed = entry not in revoked
            entry.settle(revoked.get(entry))
        self.counts.flushes += 1
        self.counts.rows += sum(len(entry.rows) for entry in group if entry not in revoked)
        self._back(time.monotonic() - began)

    def _flush_failed(self, group: list[Entry], error: Exception) -> None:
        if not is_away(error) and len(group) > 1:
            for entry in group:
                self._flush([entry])
        elif is_away(error) and self.spool is not None:
            self._lose(type(error).__name__)
            for entry in group:
                entry.in_database = False
                self._spooling.put(entry)
        else:
            logger.error("%d requests' rows were not written", len(group), exc_info=error)
            for entry in group:
                entry.settle(WriteFailed(type(error).__name__))

    def _write_to_spool(self, group: list[Entry]) -> None:
        self._append([entry for entry in group if entry.is_essential])
        self._append([entry for entry in group if not entry.is_essential], share=INESSENTIAL_SHARE)

    def _append(self, entries: list[Entry], *, share: float | None = None) -> None:
        if not entries:
            return
        try:
            if self.spool is None:
                raise SpoolRefuses("not there")
            if share is not None and not self.spool.accepts(share=share):
                raise SpoolRefuses("full, but for grants")
            self.spool.append([to_line(entry.rows, entry.sighting) for entry in entries])
        except SpoolRefuses as refusal:
            logger.error("%d requests' rows were not spooled: %s", len(entries), refusal)
            for entry in entries:
                # A flush that hangs may still write it: that outcome is waited for.
                if not entry.in_database:
                    entry.settle(WriteFailed("The spool refuses."))
            return
        for entry in entries:
            entry.settle()
        self.counts.spooled += sum(len(entry.rows) for entry in entries)

    def _spool_as_well(self, entry: Entry) -> None:
        if not entry.done.done():
            self._spooling.put(entry)
            self._lose("slow")

    def _lose(self, why: str) -> None:
        if not self._is_away:
            logger.warning("The database takes no session rows (%s): they go to the spool", why)
        self._is_away = True

    def _back(self, seconds: float) -> None:
        """The database took rows, in so much time: if that was soon enough, it takes them first again."""
        if self._is_away and seconds < PATIENCE_SECONDS:
            logger.info("The database takes session rows again")
            self._is_away = False


def _write(group: list[Entry], *, once_more: bool) -> dict[Entry, VisitorRevoked]:
    """Gives the entries that were left out because their visitor is revoked."""
    revoked = _revoked_among(group)
    insert_rows(chain.from_iterable(entry.rows for entry in group if entry not in revoked), once_more=once_more)
    return revoked


def _revoked_among(group: list[Entry]) -> dict[Entry, VisitorRevoked]:
    seen = {entry: entry.sighting for entry in group if entry.sighting is not None}
    if not seen:
        return {}
    revoked_at = revocations(sighting.ref for sighting in seen.values())
    return {
        entry: VisitorRevoked(sighting.ref, revoked_at[sighting.ref])
        for entry, sighting in seen.items()
        if sighting.token_issued_at <= revoked_at.get(sighting.ref, -1)
    }
