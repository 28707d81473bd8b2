"""What every call of the API shares: the journal entry, the host's mood, faults, OpenAI's headers and errors."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import hdrs, web

from sandbox import errors
from sandbox.faults.table import FAULTS
from sandbox.faults.wire import Received, RequestWire
from sandbox.journal import Entry
from sandbox.keys import Key, fingerprint_of
from sandbox.responses.stream_faults import STREAM_FAULTS, StreamFault, read_fault
from sandbox.world import FaultRule, HostMode, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WORLD = web.AppKey("world", World)
ENTRY = web.RequestKey("entry", Entry)
STARTED = web.RequestKey("started", float)
STREAM_FAULT = web.RequestKey("stream_fault", StreamFault)
BETA = "chatkit_beta=v1"
# The component calls from the tenants' pages; OpenAI lets any origin in, and takes no cookies.
BROWSER_PATHS = ("/v1/chatkit/conversation", "/v1/chatkit/files")
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, openai-processing-ms, cf-ray",
}


def bearer_of(request: web.Request) -> str:
    """The presented key or client secret; raises the 401 that a missing one brings."""
    scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() not in ("bearer", "basic") or not value.strip():
        raise errors.missing_bearer()
    return value.strip()


def authenticate(request: web.Request, *, beta: bool = True) -> Key:
    """The key of the caller. First the key, then the beta header, and only then may a body be looked at."""
    key = request.app[WORLD].accounts.admit(bearer_of(request), path=request.path)
    request[ENTRY].project = key.project
    if beta and BETA not in [part.strip() for part in request.headers.get("OpenAI-Beta", "").split(",")]:
        raise errors.invalid_beta()
    return key


async def read_json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError:
        raise errors.unparsable_body() from None


def answer(body: object, *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


@web.middleware
async def api_calls(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Wraps everything under /v1; other paths pass untouched."""
    if not request.path.startswith("/v1/"):
        return await handler(request)
    if request.method == hdrs.METH_OPTIONS and request.path in BROWSER_PATHS:
        return preflight(request)
    world = request.app[WORLD]
    started = request[STARTED] = time.perf_counter()
    entry = request[ENTRY] = world.journal.open(request.method, request.path, request.query, request.headers)
    entry.key = _presented_key(request)
    status: int | None = None
    try:
        response = await _answer_in_mood(request, handler, world)
        status = response.status if response is not None else None
    finally:
        world.journal.close(entry, status, started)
        world.changed = True
    return response if response is not None else web.Response(status=500)


def preflight(request: web.Request) -> web.Response:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
        "Access-Control-Allow-Headers": request.headers.get(
            "Access-Control-Request-Headers", "authorization, content-type"
        ),
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=headers)


def openai_headers(request: web.Request) -> dict[str, str]:
    """What recorded ChatKit replies carried; neither `x-request-id` nor `x-ratelimit-*` was among them."""
    spent = str(max(1, round((time.perf_counter() - request[STARTED]) * 1000)))
    headers = {
        "openai-processing-ms": spent,
        "openai-version": "2020-10-01",
        "x-envoy-upstream-service-time": spent,
        "x-openai-proxy-wasm": "v0.1",
        "cf-ray": f"{secrets.token_hex(8)}-SBX",
    }
    return {**headers, **CORS_HEADERS} if request.path in BROWSER_PATHS else headers


async def _answer_in_mood(request: web.Request, handler: Handler, world: World) -> web.StreamResponse | None:
    """The answer under the host's present mood; None when the connection was given up instead."""
    entry, host = request[ENTRY], world.host
    rule = world.take_fault(request.path, entry.key)
    if rule is not None:
        entry.fault = rule.kind
    if rule is not None and rule.kind in STREAM_FAULTS:
        request[STREAM_FAULT] = read_fault(rule.kind, rule.options)
    elif rule is not None:
        await _play(rule, request)
        return None
    delay = host.latency_ms + (host.delay_ms if host.mode is HostMode.SLOW else 0)
    if delay:
        await asyncio.sleep(delay / 1000)
    if host.mode is HostMode.RESET:
        RequestWire(request, {}).reset()
        return None
    if host.mode is HostMode.HANG:
        await _hang(request, world)
        return None
    response = await _answer(request, handler, world)
    if host.mode is HostMode.DRIPPING and isinstance(response, web.Response):
        return await _drip(request, response, host.interval_ms / 1000)
    return response


async def _answer(request: web.Request, handler: Handler, world: World) -> web.StreamResponse:
    try:
        if world.host.mode is HostMode.DOWN:
            raise errors.server_error(world.host.status)
        response = await handler(request)
    except errors.Refusal as refusal:
        response = _refused(refusal)
    except web.HTTPMethodNotAllowed:
        response = _refused(errors.wrong_method(request.method, request.path))
    except web.HTTPNotFound:
        response = _refused(errors.unknown_url(request.method, request.path))
    if not response.prepared:
        response.headers.update(openai_headers(request))
    return response


def _refused(refusal: errors.Refusal) -> web.Response:
    response = answer(refusal.body(), status=refusal.status)
    response.headers.update(refusal.headers)
    return response


async def _play(rule: FaultRule, request: web.Request) -> None:
    """Hands the connection to a named fault, which writes its raw bytes past aiohttp."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    received = Received(request.method, request.path, headers, await request.read())
    wire = RequestWire(request, rule.options)
    with suppress(ConnectionError):  # The caller left, which is what most faults are for.
        await FAULTS[rule.kind].play(wire, received)
    wire.close()


async def _hang(request: web.Request, world: World) -> None:
    """Holds the call until the caller leaves or the host is put in another mode, whichever comes first."""
    wire = RequestWire(request, {})
    while world.host.mode is HostMode.HANG and not wire.is_gone:  # noqa: ASYNC110 - two causes end it, one of them a socket's
        await asyncio.sleep(0.05)
    wire.reset()


async def _drip(request: web.Request, whole: web.Response, interval: float) -> web.StreamResponse:
    body = whole.body if isinstance(whole.body, bytes) else b""
    dripping = web.StreamResponse(status=whole.status, headers=whole.headers)
    dripping.content_length = len(body)
    await dripping.prepare(request)
    with suppress(ConnectionError):
        for place in range(len(body)):
            await dripping.write(body[place : place + 1])
            await asyncio.sleep(interval)
        await dripping.write_eof()
    return dripping


def _presented_key(request: web.Request) -> str | None:
    try:
        value = bearer_of(request)
    except errors.Refusal:
        return None
    return None if value.startswith("ek_") else fingerprint_of(value)
