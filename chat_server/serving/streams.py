"""The answers on their way in this process, each looked at twice a second: who lost the right to read one reads no further.

Nothing is asked of the database for that: the tenants' snapshots and the revocations are in memory.
"""

import asyncio
import logging
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from chat_server.serving.endings import last_words
from chat_server.serving.pump import Pump
from chat_server.serving.revocations import Revocations
from chat_server.serving.rights import require_right
from gateway.bulkhead import Bulkhead
from gateway.chat_tokens import ChatGrant
from gateway.errors import Code, PublicError
from gateway.snapshots import SnapshotStore

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class OpenStream:
    public_id: str
    grant: ChatGrant
    pump: Pump


class OpenStreams:
    def __init__(self, *, snapshots: SnapshotStore, revocations: Revocations, per_tenant: int, total: int) -> None:
        self._snapshots = snapshots
        self._revocations = revocations
        self._places = Bulkhead(capacity=per_tenant, total=total)
        self._open: set[OpenStream] = set()
        self._watch: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def open(self) -> None:
        self._watch = asyncio.create_task(self._keep_watching())

    def place(self, tenant_id: object) -> ExitStack:
        """One place, taken; to be closed by whoever can't `add` a stream after all. Raises PublicError (busy)."""
        place = ExitStack()
        place.enter_context(self._places.room(tenant_id))
        return place

    def add(self, stream: OpenStream, place: ExitStack) -> None:
        """Watch it until its making has ended; then its place is free."""
        self._open.add(stream)

        def over(_: object) -> None:
            self._open.discard(stream)
            place.close()

        stream.pump.task.add_done_callback(over)

    def hang_up(self) -> None:
        """The server ends: stop all that is being made. What was said so far is saved, and can be asked for again."""
        for stream in tuple(self._open):
            stream.pump.end()

    async def close(self, *, seconds: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        self.hang_up()
        tasks = {stream.pump.task for stream in self._open}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            if late:
                logger.warning("%d answers were not saved before the server ended", len(late))

    async def _keep_watching(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                logger.exception("Open answers could not be looked at")

    async def look(self) -> None:
        by_tenant: defaultdict[str, list[OpenStream]] = defaultdict(list)
        for stream in self._open:
            by_tenant[stream.public_id].append(stream)
        await asyncio.gather(*(self._look_at(public_id, streams) for public_id, streams in by_tenant.items()))

    async def _look_at(self, public_id: str, streams: list[OpenStream]) -> None:
        try:
            tenant = await self._snapshots.get(public_id)
        except PublicError:
            # The database is silent and what was known is old: nothing was withdrawn that anybody knows of.
            return
        for stream in streams:
            try:
                if tenant is None:
                    raise PublicError(Code.TENANT_UNKNOWN, reason="no_such_tenant")
                require_right(tenant, stream.grant, self._revocations, needs_key=True)
            except PublicError as withdrawn:
                stream.pump.end(last_words(withdrawn))
