"""Notices that a caller has left while its stream waits: one task looks after all open streams, so idle ones cost nothing."""

from __future__ import annotations

import asyncio
from asyncio import Transport

LOOK_SECONDS = 0.05


class Caller:
    """The far end of one stream."""

    def __init__(self, transport: Transport | None) -> None:
        self._transport = transport
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_gone(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    async def pause(self, seconds: float) -> bool:
        """Waits that long, or until the caller leaves; true when it is still there."""
        if seconds > 0 and not self.is_gone:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, self.wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        return not self.is_gone

    def wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Callers:
    """Everybody who waits for a stream at present."""

    def __init__(self) -> None:
        self.present: set[Caller] = set()

    def enter(self, transport: Transport | None) -> Caller:
        caller = Caller(transport)
        self.present.add(caller)
        return caller

    def leave(self, caller: Caller) -> None:
        self.present.discard(caller)

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for caller in self.present:
                if caller.is_gone:
                    caller.wake()
