"""`POST /v1/chatkit/conversation`: the channel of the web component, presented with a client secret.

Undocumented by OpenAI; the shapes are those of its own server package (`openai-chatkit`), which the same component
speaks when a site serves its conversations itself. Request: `{"type": op, "params": {…}}`.

    streaming   threads.create {input}            threads.add_user_message {thread_id, input}
                `input` = {"content": [{"type": "input_text", "text": …}], "attachments": [], …}
                answers `text/event-stream`, one `data: {event}` per event:
                thread.created (create only) · stream_options · thread.item.done (user) · thread.item.added
                (assistant) · thread.item.updated with text deltas · thread.item.done (assistant) · thread.updated
                (its title, create only)
    JSON        threads.list {limit, order, after} -> {data, has_more, after}
                threads.get_by_id {thread_id}      -> thread with items
                items.list {thread_id, limit, order, after} -> {data, has_more, after}
                threads.update {thread_id, title} · threads.delete {thread_id}

Refused: 401 for an unknown, expired or cancelled secret, 429 with Retry-After for messages beyond the session's limit
per minute (other operations are not counted), 404 for a thread of another user. The reply is an echo, so a test can
predict it: see `reply_to`.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from sandbox import errors
from sandbox.calls import ENTRY, WORLD, answer, bearer_of, openai_headers, read_json
from sandbox.session_request import bounded
from sandbox.sessions import Session
from sandbox.threads import Item, Thread, page_of, title_for
from sandbox.world import World

PIECES = 8
PIECE_SECONDS = 0.02
LONGEST_MESSAGE = 20_000
TEXT_PARTS = ("input_text", "input_tag")


def reply_to(text: str) -> str:
    """What the sandbox answers to a message."""
    return f"Thanks for your message! You wrote: “{text}”. I am the sandbox, so no model was asked."


async def converse(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    session = world.sessions.of_secret(bearer_of(request))
    if session is None:
        raise errors.expired_client_secret()
    entry = request[ENTRY]
    entry.session, entry.user, entry.project = session.id, session.user, session.project
    entry.workflow = session.workflow["id"]
    body = await read_json(request)
    op, params = _operation(body)
    entry.op = op
    match op:
        case "threads.create":
            return await _message(request, world, session, None, _text(params))
        case "threads.add_user_message":
            return await _message(request, world, session, _thread(world, session, params), _text(params))
        case "threads.list":
            return answer(_list_threads(world, session, params))
        case "threads.get_by_id":
            return answer(_full(_thread(world, session, params)))
        case "items.list":
            return answer(_list(_thread(world, session, params).items, params, item_shape))
        case "threads.update":
            thread = _thread(world, session, params)
            thread.title = str(params.get("title", ""))[:200] or None
            return answer(_full(thread))
        case "threads.delete":
            world.threads.delete(_thread(world, session, params))
            return answer({})
        case _:
            raise errors.invalid_value("type", f"'{op[:64]}' is not an operation of this server.")


async def _message(
    request: web.Request, world: World, session: Session, thread: Thread | None, text: str
) -> web.StreamResponse:
    wait = session.wait_for_turn()
    if wait:
        raise errors.throttled(wait)
    created = thread is None
    if thread is None:
        thread = world.threads.create(project=session.project, user=session.user)
    headers = {**openai_headers(request), "Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    stream = web.StreamResponse(headers=headers)
    await stream.prepare(request)
    with suppress(ConnectionError):  # The visitor closed the page.
        await _tell(stream, world, session, thread, text, created=created)
        await stream.write_eof()
    return stream


async def _tell(
    stream: web.StreamResponse, world: World, session: Session, thread: Thread, text: str, *, created: bool
) -> None:
    if created:
        await _send(stream, {"type": "thread.created", "thread": thread_shape(thread)})
    question = thread.add("user", text)
    await _send(stream, {"type": "stream_options", "stream_options": {"allow_cancel": False}})
    await _send(stream, {"type": "thread.item.done", "item": item_shape(question)})
    if not _runs(world, session):
        text = "The workflow of this chat could not be run."
        await _send(stream, {"type": "error", "code": "custom", "message": text, "allow_retry": False})
        return
    reply = thread.add("assistant", reply_to(text))
    begun = {**item_shape(reply), "content": []}
    await _send(stream, {"type": "thread.item.added", "item": begun})
    for event in _deltas(reply):
        await _send(stream, event)
        await asyncio.sleep(PIECE_SECONDS)
    await _send(stream, {"type": "thread.item.done", "item": item_shape(reply)})
    if created and session.configuration["automatic_thread_titling"]["enabled"]:
        thread.title = title_for(question.text)
        await _send(stream, {"type": "thread.updated", "thread": thread_shape(thread)})


def _runs(world: World, session: Session) -> bool:
    """A version is not looked up before the first message: `latest` is granted and then fails here."""
    if not world.accounts.project(session.project).has_workflow(session.workflow["id"]):
        return False
    version = session.workflow["version"]
    return version is None or version.isdigit()


def _deltas(reply: Item) -> list[dict[str, Any]]:
    part = {"type": "output_text", "text": "", "annotations": []}
    size = max(1, -(-len(reply.text) // PIECES))
    kind = "assistant_message.content_part"
    updates: list[dict[str, Any]] = [{"type": f"{kind}.added", "content_index": 0, "content": part}]
    for start in range(0, len(reply.text), size):
        delta = reply.text[start : start + size]
        updates.append({"type": f"{kind}.text_delta", "content_index": 0, "delta": delta})
    return [{"type": "thread.item.updated", "item_id": reply.id, "update": update} for update in updates]


async def _send(stream: web.StreamResponse, event: dict[str, Any]) -> None:
    await stream.write(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n")


def thread_shape(thread: Thread) -> dict[str, Any]:
    return {
        "id": thread.id,
        "title": thread.title,
        "created_at": _iso(thread.created_at),
        "status": {"type": "active"},
        "metadata": {},
        "items": {"data": [], "has_more": False, "after": None},
    }


def item_shape(item: Item) -> dict[str, Any]:
    common = {"id": item.id, "thread_id": item.thread_id, "created_at": _iso(item.created_at)}
    if item.role == "user":
        content = [{"type": "input_text", "text": item.text}]
        extras: dict[str, Any] = {"attachments": [], "quoted_text": None, "inference_options": {}}
        return {**common, "type": "user_message", "content": content, **extras}
    told = [{"type": "output_text", "text": item.text, "annotations": []}]
    return {**common, "type": "assistant_message", "content": told}


def _full(thread: Thread) -> dict[str, Any]:
    items = {"data": [item_shape(item) for item in thread.items], "has_more": False, "after": None}
    return {**thread_shape(thread), "items": items}


def _list_threads(world: World, session: Session, params: dict[str, Any]) -> dict[str, Any]:
    history = session.configuration["history"]
    if not history["enabled"]:
        return {"data": [], "has_more": False, "after": None}
    rows = world.threads.of(project=session.project, user=session.user)
    return _list(rows[-(history["recent_threads"] or len(rows) or 1) :], params, thread_shape)


def _list(rows: list[Any], params: dict[str, Any], shape: Any) -> dict[str, Any]:
    limit = params.get("limit")
    if limit is not None and type(limit) is not int:
        raise errors.invalid_value("params.limit", "expected an integer.")
    try:
        page = page_of(
            rows,
            limit=bounded("params.limit", 20 if limit is None else limit, lowest=0, highest=100),
            descending=params.get("order", "desc") != "asc",
            after=params.get("after") or None,
        )
    except KeyError:
        raise errors.invalid_value("params.after", "no such object in this list.") from None
    after = page.rows[-1].id if page.rows and page.has_more else None
    return {"data": [shape(row) for row in page.rows], "has_more": page.has_more, "after": after}


def _operation(body: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(body, dict) or not isinstance(body.get("type"), str):
        raise errors.missing_parameter("type")
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise errors.invalid_value("params", "expected an object.")
    return body["type"], params


def _thread(world: World, session: Session, params: dict[str, Any]) -> Thread:
    thread_id = str(params.get("thread_id", ""))
    thread = world.threads.find(thread_id, project=session.project, user=session.user)
    if thread is None:
        raise errors.thread_not_found(thread_id[:80])
    return thread


def _text(params: dict[str, Any]) -> str:
    given = params.get("input")
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, list):
        raise errors.missing_parameter("params.input.content")
    parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") in TEXT_PARTS]
    text = "".join(part for part in parts if isinstance(part, str)).strip()
    if not text:
        raise errors.invalid_value("params.input.content", "expected at least one text.")
    return text[:LONGEST_MESSAGE]


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
