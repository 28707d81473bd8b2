"""Carries the events of one answer from whoever makes them to whoever reads them, each at its own pace.

A task of its own draws the events into a queue that holds a few: a slow reader stops the model's stream instead of filling the
memory. Ending it, because the reader left or may read no more, cancels the making where it waits for the model or the database:
only there does ChatKit's server learn of it, and saves what was said so far. An asynchronous generator that is cancelled at its
`yield` learns nothing, so whoever waits for room goes on to the next wait inside the generator first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

from chat_server.serving.quiet import without_content

logger = logging.getLogger(__name__)

ROOM: Final = 32
# Proxies and browsers give up connections on which nothing comes.
HEARTBEAT_SECONDS: Final = 15.0
HEARTBEAT: Final = b": ping\n\n"
# A reader who takes nothing for so long has left, whatever the connection says.
STALL_SECONDS: Final = 60.0

Finished = Callable[[Exception | None], Awaitable[None]]


class Pump:
    """`failed` is what is told to a reader when the making fails; `finished` is awaited when it is over, with the failure."""

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        failed: bytes,
        finished: Finished,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._events = events
        self._failed = failed
        self._finished = finished
        self._heartbeat = heartbeat
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._last_words: bytes | None = None
        self._is_ending = False
        self._is_blocked = False
        self._is_over = False
        self._failure: Exception | None = None
        self.task = asyncio.create_task(self._run())

    async def begin(self) -> bool:
        """Wait for the first event; whether there is one. Raises what failed before it."""
        while not self._waiting and not self._is_over:
            self._news.clear()
            await self._news.wait()
        if self._waiting:
            return True
        if self._failure is not None:
            raise self._failure
        return False

    def end(self, last_words: bytes | None = None) -> None:
        """Stop the making; what the reader has not had yet is dropped, and `last_words` come in its place."""
        if last_words is not None:
            self._waiting.clear()
            self._last_words = last_words
            self._news.set()
        if self._is_ending or self.task.done():
            return
        self._is_ending = True
        if self._is_blocked:
            self._space.set()
        else:
            self.task.cancel()

    async def pieces(self) -> AsyncIterator[bytes]:
        """All that waits at a time as one piece, and a heartbeat where nothing comes for long."""
        try:
            while self._last_words is None:
                if self._waiting:
                    piece = b"".join(self._waiting)
                    self._waiting.clear()
                    self._space.set()
                    yield piece
                elif self._is_over:
                    break
                else:
                    self._news.clear()
                    try:
                        async with asyncio.timeout(self._heartbeat):
                            await self._news.wait()
                    except TimeoutError:
                        yield HEARTBEAT
            if self._last_words is not None:
                yield self._last_words
            elif self._failure is not None:
                yield self._failed
        finally:
            self.end()

    async def _run(self) -> None:
        try:
            async for event in self._events:
                if not self._is_ending:
                    self._waiting.append(event)
                    self._news.set()
                    await self._make_room()
        except asyncio.CancelledError:
            # Ours: the reader is gone, or may read no more.
            self._is_ending = True
        except Exception as failure:
            self._failure = failure
            logger.info("An answer broke off: %s", without_content(failure))
        finally:
            try:
                await self._events.aclose()
                await self._finished(self._failure)
            except Exception as failure:
                logger.error("An answer could not be finished: %s", without_content(failure))
            self._is_over = True
            self._news.set()

    async def _make_room(self) -> None:
        while len(self._waiting) >= ROOM and not self._is_ending:
            self._space.clear()
            self._is_blocked = True
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await self._space.wait()
            except TimeoutError:
                self._failure = TimeoutError("stalled")
                self._is_ending = True
            finally:
                self._is_blocked = False
        if self._is_ending:
            # Takes effect at the next wait inside the generator.
            self.task.cancel()
