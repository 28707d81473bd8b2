"""`POST /v1/responses`: key, body, model, vector stores, in this order; then the reply, whole or as a stream.

Each call's journal entry says its `model`, the `text` that drove it, the number of `events` sent, and its `outcome`: finished,
left (the caller went first, so the run was stopped) or cut (the sandbox broke it off). While a run goes on, outcome is null.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from sandbox import errors
from sandbox.calls import ENTRY, STREAM_FAULT, WORLD, answer, authenticate, bearer_of, openai_headers, read_json
from sandbox.errors import mask
from sandbox.faults.wire import RequestWire
from sandbox.keys import Key, KeyState
from sandbox.responses.asked import Asked, read_asked
from sandbox.responses.events import Answer, steps
from sandbox.responses.leaving import Caller
from sandbox.responses.reply import reply_for
from sandbox.responses.stream_faults import MALFORMED, StreamFault, encoded

SHOWN_TEXT = 200
REMEMBERED_PREFIXES = 20_000


def add_routes(app: web.Application) -> None:
    app.cleanup_ctx.append(_watching)
    app.router.add_post("/v1/responses", respond)


async def respond(request: web.Request) -> web.StreamResponse:
    key = authenticate(request, beta=False)
    body = await read_json(request)
    entry, world = request[ENTRY], request.app[WORLD]
    entry.body, entry.last_four = body, mask(bearer_of(request))[-4:]
    asked = read_asked(body)
    entry.model, entry.text = asked.model, asked.text[:SHOWN_TEXT]
    if not world.catalogue.has_model(asked.model):
        raise errors.model_not_found(asked.model)
    for store in asked.vector_stores:
        if not world.catalogue.has_store(store, project=key.project):
            raise errors.vector_store_not_found(store)
    told = Answer(asked, reply_for(asked), _cached(world.catalogue.prefixes, key, asked))
    entry.response = told.id
    caller = world.callers.enter(request.transport)
    try:
        return await (_stream if asked.streamed else _whole)(request, told, caller, key)
    except ConnectionError:
        entry.outcome = "left"
        raise
    finally:
        world.callers.leave(caller)
        entry.outcome = entry.outcome or "left"  # Cancelled while it waited: the sandbox stops, or the caller has gone.
        world.journal.outcomes[entry.outcome] += 1


async def _whole(request: web.Request, told: Answer, caller: Caller, key: Key) -> web.StreamResponse:
    entry = request[ENTRY]
    for _, pause in steps(told):
        if not await caller.pause(pause):
            entry.outcome = "left"
            raise ConnectionResetError("the caller has left")
    entry.outcome = "finished"
    return answer(told.resource(told.reply.end, _failure(told)))


async def _stream(request: web.Request, told: Answer, caller: Caller, key: Key) -> web.StreamResponse:
    entry, fault = request[ENTRY], request.get(STREAM_FAULT)
    headers = {
        **openai_headers(request),
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-cache",
    }
    stream = web.StreamResponse(headers=headers)
    await stream.prepare(request)
    number = 0
    for event, pause in steps(told):
        if fault is not None and fault.stops(number) and not await _strike(request, stream, fault, told, caller, key):
            return stream
        if fault is not None and fault.kind == "stream_slow":
            await caller.pause(fault.interval)
        if caller.is_gone:
            break
        await stream.write(encoded(event, number))
        number = entry.events = number + 1
        if not await caller.pause(pause):
            break
    else:
        await stream.write_eof()
        entry.outcome = "finished"
        return stream
    entry.outcome = "left"
    return stream


async def _strike(
    request: web.Request, stream: web.StreamResponse, fault: StreamFault, told: Answer, caller: Caller, key: Key
) -> bool:
    """Plays the fault; true when the stream goes on after it."""
    entry = request[ENTRY]
    match fault.kind:
        case "stream_revoke":
            key.state, key.times = KeyState.INVALID, None
            return True
        case "stream_malformed":
            await stream.write(MALFORMED)
            return True
        case "stream_stall":
            if await caller.pause(fault.seconds):
                return True
            entry.outcome = "left"
            return False
        case "stream_cut":
            entry.outcome = "cut"
            await asyncio.sleep(0.05)  # Let the bytes leave before the reset throws them away.
            RequestWire(request, {}).reset()
            return False
    entry.outcome = "cut"
    last = _last_words(fault, told)
    if last is not None:
        await stream.write(encoded(last, entry.events))
    await stream.write_eof()
    return False


def _last_words(fault: StreamFault, told: Answer) -> dict[str, Any] | None:
    error = {"code": fault.code, "message": fault.message}
    if fault.kind == "stream_failed":
        return {"type": "response.failed", "response": told.resource("failed", error)}
    return {"type": "error", **error, "param": None} if fault.kind == "stream_error" else None


def _failure(told: Answer) -> dict[str, Any] | None:
    if told.reply.end != "failed":
        return None
    return {"code": "server_error", "message": "The model could not finish this run."}


def _cached(seen: OrderedDict[tuple[str, str], None], key: Key, asked: Asked) -> int:
    """Half the input, when the project has sent a beginning of it before; remembers the whole."""
    known = any((key.project, prefix) in seen for prefix in asked.prefixes)
    seen[key.project, asked.prefixes[-1]] = None
    if len(seen) > REMEMBERED_PREFIXES:
        seen.popitem(last=False)
    return asked.input_tokens // 2 if known else 0


async def _watching(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[WORLD].callers.watch())
    yield
    task.cancel()
