"""Threads that take whatever waits as one group, so that many requests share one commit or one fsync."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final

from django.db import connection, connections
from django.db.models import Model

from sessions_api.sightings import Sighting

logger = logging.getLogger(__name__)

MAX_GROUP: Final = 500
IDLE_SECONDS: Final = 1.0


@dataclass(slots=True, eq=False)
class Entry:
    """The rows of one request, written together or not at all.

    `in_database`: a flush may be writing it, whatever else becomes of it. `is_committed`: a flush has written it, and so has
    looked for revocations. `done` belongs to the loop; other threads only ask whether it is done.
    """

    rows: tuple[Model, ...]
    sighting: Sighting | None
    is_essential: bool
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    in_database: bool = False
    is_committed: bool = False
    is_settled: bool = False
    failure: Exception | None = None

    def settle(self, failure: Exception | None = None) -> None:
        """Its outcome is known; the waiter is told with the rest of the group."""
        self.failure, self.is_settled = failure, True


class Groups:
    """One thread: the first comer is served at once, and those who come meanwhile are the next group.

    `apart` in seconds: how soon after the beginning of one group the next may begin. Who comes to an idle thread never waits.
    """

    def __init__(self, name: str, flush: Callable[[list[Entry]], None], *, apart: float = 0.0) -> None:
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._flush = flush
        self._apart = apart
        self._began_at = 0.0
        # A daemon: a database or a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def put(self, entry: Entry) -> None:
        self._queue.put(entry)

    def close(self, *, seconds: float) -> list[Entry]:
        """Serve what waits, then end the thread; gives what it did not come to in time. Blocks."""
        self._queue.put(None)
        self._thread.join(timeout=seconds)
        left: list[Entry] = []
        while self._thread.is_alive():
            try:
                entry = self._queue.get_nowait()
            except Empty:
                break
            if entry is not None:
                left.append(entry)
        return left

    def _work(self) -> None:
        try:
            while (first := self._next()) is not None:
                self._keep_apart()
                group, is_last = self._drain(first)
                # Who has given up was told that nothing is recorded, and what it minted is being cancelled.
                if wanted := [entry for entry in group if not entry.done.done()]:
                    self._serve(wanted)
                if is_last:
                    break
        finally:
            connections.close_all()

    def _serve(self, group: list[Entry]) -> None:
        try:
            self._flush(group)
        except Exception as defect:
            # Nobody foresaw it. Without this thread no request would ever be recorded again.
            logger.exception("A defect in writing %d requests' rows", len(group))
            for entry in group:
                if not entry.is_settled:
                    entry.settle(defect)
        _tell(group)

    def _next(self) -> Entry | None:
        """What comes next. Nothing for a while: the connection is given back, which a busy thread would do at each group."""
        try:
            return self._queue.get(timeout=IDLE_SECONDS)
        except Empty:
            connection.close()
            return self._queue.get()

    def _keep_apart(self) -> None:
        pause = self._began_at + self._apart - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._began_at = time.monotonic()

    def _drain(self, first: Entry) -> tuple[list[Entry], bool]:
        """Everything that waits, up to a sensible size; whether the end was among it."""
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


def _tell(group: list[Entry]) -> None:
    """Wake the waiters with one call into each loop, not one for each of them."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Entry]] = {}
    for entry in group:
        if entry.is_settled:
            by_loop.setdefault(entry.loop, []).append(entry)
    for loop, entries in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, entries)
        except RuntimeError:  # the loop is closed: nobody waits any more
            logger.warning("%d requests were gone before their rows were written", len(entries))


def _resolve(entries: list[Entry]) -> None:
    for entry in entries:
        if entry.done.done():
            continue
        if entry.failure is None:
            entry.done.set_result(None)
        else:
            entry.done.set_exception(entry.failure)
