"""The chat door: chats that the platform serves itself, in processes with SERVE_CHAT=1.

What it takes (80 MB, 3 s) is imported when the server starts, never at a request: that would stop the whole process meanwhile.
Elsewhere its paths lead to the public door, which has nothing there: 404.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from django.conf import settings

from gateway.database_threads import DatabaseThreads
from gateway.lean import LeanHandler
from gateway.lean_middleware import lean_middleware
from sessions_api.desk import Desk

# A message with what the page puts into it, or what its tool found.
MAX_BODY: Final = 512 * 1024
DRAIN_SECONDS: Final = 5.0
_CHATS: Final = re.compile(r"/api/v1/tenants/[^/]+/chatkit/\Z")
_FILES: Final = re.compile(r"/api/v1/tenants/[^/]+/chatkit/attachments/")


class ChatDoor:
    def __init__(self, *hosts: str) -> None:
        self._hosts = hosts
        self._chats: LeanHandler | None = None
        self._files: LeanHandler | None = None

    def handler_of(self, path: str) -> LeanHandler | None:
        """Whoever serves this path; None where it is not of a chat, or before the lifespan has opened the door."""
        if _CHATS.match(path):
            return self._chats
        return self._files if _FILES.match(path) else None

    @asynccontextmanager
    async def open(self, sessions: Desk) -> AsyncIterator[dict[str, object]]:
        """Loads the handler; gives what its requests find in their state. At the end, what is being said is saved first."""
        from chat_server.serving.desk import CHAT_THREADS, KEEP_SECONDS, STATE_KEY, ChatDesk
        from chat_server.serving.file_door import FileDoor
        from chat_server.serving.quiet import quieten_packages
        from chat_server.serving.revocations import Revocations
        from chat_server.serving.streams import OpenStreams
        from chat_server.serving.turn_keeper import TurnKeeper
        from chatkit_client.model_client import ModelClients
        from dashboards.chat_metrics import count_open_streams

        quieten_packages()
        middleware = lean_middleware(*self._hosts)
        chats = LeanHandler("config.chat_urls", middleware, max_body=MAX_BODY)
        files = FileDoor("chat_server.serving.file_urls", middleware)
        gateway = sessions.gateway
        revocations = Revocations()
        streams = OpenStreams(
            snapshots=gateway.snapshots,
            revocations=revocations,
            per_tenant=settings.CHAT_STREAMS_TENANT,
            total=settings.CHAT_STREAMS_PROCESS,
        )
        threads = DatabaseThreads("chat", size=CHAT_THREADS, keep_seconds=KEEP_SECONDS)
        desk = ChatDesk(
            gateway=gateway,
            sessions=sessions,
            writer=sessions.writer,
            threads=threads,
            models=ModelClients(
                allowed_base_urls=settings.OPENAI_BASE_URLS.values(), ca_file=settings.OPENAI_CA_FILE or None
            ),
            revocations=revocations,
            streams=streams,
            turns=TurnKeeper(threads),
        )
        await desk.open()
        self._chats, self._files = chats, files
        count_open_streams(streams.__len__)
        try:
            yield {STATE_KEY: desk}
        finally:
            count_open_streams(None)
            # The server has stopped listening. An answer that goes on is stopped, so that its request ends and it is saved.
            streams.hang_up()
            await asyncio.gather(chats.finish(seconds=DRAIN_SECONDS), files.finish(seconds=DRAIN_SECONDS))
            await desk.close(seconds=DRAIN_SECONDS)
