"""What the chat endpoint works with; opened by config.chat_door, one per process."""

import asyncio
from dataclasses import dataclass
from typing import Final, cast

from django.http import HttpRequest

from chat_server.serving.revocations import Revocations
from chat_server.serving.streams import OpenStreams
from chat_server.serving.turn_keeper import TurnKeeper
from chatkit_client.model_client import ModelClients
from gateway.database_threads import DatabaseThreads
from gateway.resources import Gateway, state_of
from sessions_api.desk import Desk
from sessions_api.writer import GroupedWriter

STATE_KEY: Final = "chat"
# What a chat asks of the database is small; four at once keep a slow query from delaying everybody.
CHAT_THREADS: Final = 4
# A message is several units of work in a second.
KEEP_SECONDS: Final = 2.0
DATABASE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ChatDesk:
    """`sessions` is the session endpoint's desk: refusals leave their trace there."""

    gateway: Gateway
    sessions: Desk
    writer: GroupedWriter
    threads: DatabaseThreads
    models: ModelClients
    revocations: Revocations
    streams: OpenStreams
    turns: TurnKeeper

    async def open(self) -> None:
        await self.revocations.open()
        self.streams.open()
        self.turns.open()

    async def close(self, *, seconds: float) -> None:
        """Save what is half said, then let go of the models and the database."""
        await self.streams.close(seconds=seconds)
        await self.turns.close()
        await self.models.close()
        await self.revocations.close()
        await asyncio.to_thread(self.threads.close, seconds=seconds)


def chat_desk_of(request: HttpRequest) -> ChatDesk:
    """The desk of the process that serves this request, handed on by ASGI's lifespan state."""
    return cast(ChatDesk, state_of(request, STATE_KEY))
