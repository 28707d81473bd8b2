"""ChatKit's events of a run, and the run's end when they are left.

ChatKit reads the run and its own queue side by side, each in a task of its own, and abandons both when it is cancelled, closed or
told of a failure. Left alone they would end unseen, with a complaint in the log; so both are remembered here and cancelled.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

from agents import RunResultStreaming, StreamEvent
from chatkit.agents import stream_agent_response
from chatkit.types import ThreadStreamEvent

from chat_server.serving.pace import Pace
from chat_server.serving.tools import RunContext


async def stream_run(chat: RunContext, run: RunResultStreaming) -> AsyncGenerator[ThreadStreamEvent, None]:
    """Ends the run at OpenAI unless it has ended by itself: it lives in a task that nobody else would stop."""
    queue = _Queue()
    chat._events = cast(Any, queue)
    source = _Source(run, chat.pace)
    try:
        async for event in stream_agent_response(chat, cast(RunResultStreaming, source)):
            yield event
    finally:
        # Nothing is left of a run that has ended.
        run.cancel()
        for task in (queue.reader, source.reader):
            if task is not None and not task.done():
                task.cancel()


class _Queue(asyncio.Queue[Any]):
    """A queue that knows the task that waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reader: asyncio.Task[Any] | None = None

    async def get(self) -> Any:
        # What is there is taken at once, at the end by whoever reads the stream: that task is not ours to cancel.
        if self.empty():
            self.reader = asyncio.current_task()
        return await super().get()


class _Source:
    """A run's events, as ChatKit asks for them."""

    def __init__(self, run: RunResultStreaming, pace: Pace) -> None:
        self._events = run.stream_events()
        self._pace = pace
        self.reader: asyncio.Task[Any] | None = None

    def stream_events(self) -> AsyncIterator[StreamEvent]:
        return cast(AsyncIterator[StreamEvent], self)

    def __aiter__(self) -> "_Source":
        return self

    async def __anext__(self) -> StreamEvent:
        self.reader = asyncio.current_task()
        event = await self._events.__anext__()
        self._pace.taken()
        return event
