"""Private threads for the database work of async code.

Outside a request's thread context all `sync_to_async` calls of a process share one thread, so that one slow query would
delay everybody; and without the request signals nobody closes a connection that died. Here a pool of named threads runs
each unit between two calls of `close_old_connections`, and each thread closes its connections when it ends. Where many units
come one after the other, a thread may keep its connection for a while: taking one from the pool costs a trip of its own.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection, connections

R = TypeVar("R")


class DatabaseThreads:
    """`size` threads that run units of database work in the order in which they come.

    `keep_seconds`: how long a thread without work holds its connection; 0 gives it back after each unit.
    """

    def __init__(self, name: str, *, size: int, keep_seconds: float = 0.0) -> None:
        self._keep_seconds = keep_seconds
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        # Daemons: a database that hangs must not keep the process from ending.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[], R], *, seconds: float) -> R:
        """What `work` gives; raises what it raises, and TimeoutError when there is no answer in time."""
        future: Future[R] = Future()
        self._queue.put((work, future))
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(future)

    def close(self, *, seconds: float) -> None:
        """End the threads after what is queued, waiting no longer than this for each."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=seconds)

    def _work(self) -> None:
        run = with_kept_connection if self._keep_seconds else with_fresh_connection
        while (unit := self._next()) is not None:
            work, future = unit
            # False when the caller has given up in the meantime.
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(run(work))
            except BaseException as error:
                future.set_exception(error)
        connections.close_all()

    def _next(self) -> tuple[Callable[[], Any], Future[Any]] | None:
        if self._keep_seconds:
            try:
                return self._queue.get(timeout=self._keep_seconds)
            except Empty:
                connections.close_all()
        return self._queue.get()


def with_fresh_connection(work: Callable[[], R]) -> R:
    """Run idempotent database work; once more when the connection turns out to be dead."""
    close_old_connections()
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection.close()
        return work()
    finally:
        close_old_connections()


def with_kept_connection(work: Callable[[], R]) -> R:
    """As above, but a connection that is well stays open."""
    try:
        return work()
    except (OperationalError, InterfaceError):
        connection.close()
        return work()
    finally:
        if connection.errors_occurred:
            connection.close()
