"""Lets a run into a conversation, alone."""

import asyncio
import time
from typing import Final

from chatkit.types import StreamingReq, ThreadsCreateReq

from chat_server import turns
from chat_server.serving.context import ChatContext
from chat_server.serving.store import ask
from chat_server.turns import Turn
from gateway.errors import Code, PublicError

# Whoever stops an answer and writes at once meets the old run while it saves what it said.
WAIT_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.1


async def take_turn(call: StreamingReq, context: ChatContext) -> int:
    """The characters of what was said before; from now on `context.turn` is to be given back.

    Raises PublicError (busy) while another answer is on its way, NotFoundError and StoreSilent.
    """
    if isinstance(call, ThreadsCreateReq):
        turn = context.turn = Turn()
        context.desk.turns.hold(turn)
        return 0
    turn = Turn(call.params.thread_id)
    until = time.monotonic() + WAIT_SECONDS
    while (chars := await ask(context, lambda: turns.claim(context.owner, turn))) is None:
        if time.monotonic() >= until:
            raise PublicError(Code.BUSY, reason="thread_busy")
        await asyncio.sleep(_LOOK_SECONDS)
    context.turn = turn
    context.desk.turns.hold(turn)
    return chars
