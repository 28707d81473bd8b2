"""The grouped writer: rows of many requests in one transaction, durable before anybody is answered.

Requests put their rows into a queue and wait. One thread takes all that lies there and writes it at once, so the first
comer is written immediately and those who come meanwhile ride in the next flush as one multi-row insert.

What can go wrong, and what then happens:
    a dead connection      closed, and the whole flush once more; rows carry ids of our own making, so those that an
                           unanswered commit had written after all are left out
    one bad row            its request's rows fail alone: the flush is repeated request by request
    the database is away   every request of the flush gets `WriteFailed`
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from queue import Empty, SimpleQueue
from typing import Final

from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models import Model

from sessions_api.insert import insert_rows

logger = logging.getLogger(__name__)

MAX_GROUP: Final = 500
MAX_WAITING: Final = 5_000
IDLE_SECONDS: Final = 1.0
# How far apart flushes begin. Whoever comes to an idle writer never waits.
APART_SECONDS: Final = 0.003


class WriteFailed(Exception):
    """The rows are not in the database, or nobody knows whether they are."""


@dataclass(slots=True, eq=False)
class _Entry:
    """The rows of one request, written together or not at all."""

    rows: tuple[Model, ...]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    failure: WriteFailed | None = None


@dataclass(slots=True)
class _Counts:
    rows: int = 0
    flushes: int = 0


class GroupedWriter:
    """One thread and its queue; made on the event loop whose requests write."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="session-writer", daemon=True)
        self._flushed_at = 0.0
        self.counts = _Counts()

    def start(self) -> None:
        self._thread.start()

    @property
    def is_full(self) -> bool:
        """Whether so much waits that what is minted now may not be recorded in time."""
        return self._queue.qsize() >= MAX_WAITING

    async def write(self, *rows: Model, seconds: float) -> None:
        """Returns when the rows are committed. Raises WriteFailed, also when that takes too long."""
        if self.is_full:
            raise WriteFailed("The writer is too far behind.")
        loop = asyncio.get_running_loop()
        entry = _Entry(rows, loop, loop.create_future())
        self._queue.put(entry)
        try:
            async with asyncio.timeout(seconds):
                await entry.done
        except TimeoutError:
            raise WriteFailed("The database takes too long.") from None

    def close(self, *, seconds: float) -> None:
        """Write what is queued, then end the thread; blocks, so call it from another thread than the loop's."""
        self._queue.put(None)
        self._thread.join(timeout=seconds)
        if self._thread.is_alive():
            logger.error("The session writer did not end in time; %d requests' rows may be lost", self._queue.qsize())

    def _work(self) -> None:
        try:
            while (first := self._next()) is not None:
                self._keep_apart()
                group, is_last = self._drain(first)
                self._flush(group)
                _tell(group)
                if is_last:
                    break
        finally:
            connections.close_all()

    def _next(self) -> _Entry | None:
        """What comes next. Nothing for a while: the connection is given back, which a busy writer would do at each flush."""
        try:
            return self._queue.get(timeout=IDLE_SECONDS)
        except Empty:
            connection.close()
            return self._queue.get()

    def _keep_apart(self) -> None:
        """Under load let a few requests gather, since a flush of eight costs hardly more than a flush of one."""
        pause = self._flushed_at + APART_SECONDS - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._flushed_at = time.monotonic()

    def _drain(self, first: _Entry) -> tuple[list[_Entry], bool]:
        """Everything that waits, up to a sensible transaction; whether the end was among it."""
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                entry = self._queue.get_nowait()
            except Empty:
                break
            if entry is None:
                return group, True
            group.append(entry)
        return group, False

    def _flush(self, group: list[_Entry]) -> None:
        # Who has given up was told that nothing is recorded, and what it minted is being cancelled.
        group = [entry for entry in group if not entry.done.done()]
        if not group:
            return
        try:
            _insert_with_retry(group)
        except Exception as error:
            if len(group) > 1 and not isinstance(error, (OperationalError, InterfaceError)):
                for entry in group:
                    self._flush([entry])
                return
            logger.exception("%d requests' rows were not written", len(group))
            for entry in group:
                entry.failure = WriteFailed(type(error).__name__)
            return
        self.counts.flushes += 1
        self.counts.rows += sum(len(entry.rows) for entry in group)


def _insert_with_retry(group: list[_Entry]) -> None:
    rows = list(chain.from_iterable(entry.rows for entry in group))
    try:
        _insert(rows)
    except (OperationalError, InterfaceError):
        connection.close()
        try:
            _insert(_missing(rows))
        except (OperationalError, InterfaceError):
            # The next flush must not find it again.
            connection.close()
            raise


def _insert(rows: Iterable[Model]) -> None:
    insert_rows(_by_model(rows))


def _missing(rows: Iterable[Model]) -> list[Model]:
    """Those that a commit whose answer was lost did not write."""
    missing: list[Model] = []
    for model, of_model in _by_model(rows).items():
        written = set(model._default_manager.filter(pk__in=[row.pk for row in of_model]).values_list("pk", flat=True))
        missing += [row for row in of_model if row.pk not in written]
    return missing


def _by_model(rows: Iterable[Model]) -> dict[type[Model], list[Model]]:
    grouped: dict[type[Model], list[Model]] = {}
    for row in rows:
        grouped.setdefault(type(row), []).append(row)
    return grouped


def _tell(group: list[_Entry]) -> None:
    """Wake the waiters with one call into each loop, not one for each of them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Entry]] = {}
    for entry in group:
        by_loop.setdefault(entry.loop, []).append(entry)
    for loop, entries in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, entries)
        except RuntimeError:  # the loop is closed: nobody waits any more
            logger.warning("%d requests were gone before their rows were written", len(entries))


def _resolve(entries: list[_Entry]) -> None:
    for entry in entries:
        if entry.done.done():
            continue
        if entry.failure is None:
            entry.done.set_result(None)
        else:
            entry.done.set_exception(entry.failure)
