"""An event loop in a thread, for a server that lives beside synchronous code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
START_SECONDS = 10.0


@contextmanager
def running(
    start: Callable[[], Awaitable[T]], stop: Callable[[T], Awaitable[None]]
) -> Iterator[tuple[T, asyncio.AbstractEventLoop]]:
    """Awaits `start` on a loop of its own, yields its result, awaits `stop` at the end, and leaves nothing behind."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_live, args=(loop,), name="sandbox", daemon=True)
    thread.start()
    try:
        server = _run(loop, _awaited(start()))
        try:
            yield server, loop
        finally:
            _run(loop, _awaited(stop(server)))
            _run(loop, _cancel_the_rest())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_SECONDS)


def _live(loop: asyncio.AbstractEventLoop) -> None:
    """The whole life of the loop, its end included: the caller's thread may have a running loop of its own."""
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result(START_SECONDS)


async def _awaited(work: Awaitable[T]) -> T:
    return await work


async def _cancel_the_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.sleep(0)
