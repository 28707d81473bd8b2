"""`/control`: how a test, or a person at the page `/`, changes the world and reads what reached it.

Answers only callers on this machine, and only when they address it by a loopback name and send JSON, so that no web
page can reach it through a visitor's browser. All bodies and answers are JSON; a refusal is 400 `{"error": sentence}`.

    GET    /control/state                 everything: policy, keys, projects, host, faults, counts
    POST   /control/keys                  {key, project?, organization?, workflows?, state?, …} registers a key
    POST   /control/keys/state            {key | fingerprint | project | all: true, state, code?, retry_after?, times?}
    POST   /control/workflows             {id, project?, exists}      without project: in every project
    POST   /control/models                {id, exists}                takes one of the sandbox's models away, or gives it back
    POST   /control/policy                {unknown_keys: prefix | invalid}
    POST   /control/host                  {mode, status?, delay_ms?, interval_ms?}
    POST   /control/latency               {ms}                        added to every answer
    POST   /control/fault                 {kind, path?, count?, key?, options?}    count null: until taken back
    DELETE /control/fault                 takes back all faults
    GET    /control/faults                the names and what they do
    GET    /control/calls                 ?since, limit, method, path, status, key, user, workflow, session, op, project,
                                          model, outcome, text; brief=1 leaves bodies and headers out
    DELETE /control/calls                 empties the journal and the counters
    GET    /control/runs                  {running, finished, left, cut}: runs of the model, at present and since the last reset
    GET    /control/counters              {total, by_route: {"POST /v1/chatkit/sessions 200": 3}}
    GET    /control/sessions              live sessions, without secrets
    POST   /control/sessions/expire       {id?}                       one session or all
    GET    /control/threads               ?project, user
    POST   /control/reset                 the sandbox as it was at its very first start
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import hdrs, web

from sandbox import control_deeds as deeds
from sandbox.calls import WORLD
from sandbox.world import World

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

Deed = Callable[[World, dict[str, Any]], object]


def add_routes(app: web.Application) -> None:
    reads: dict[str, Callable[[World, dict[str, str]], object]] = {
        "state": deeds.describe,
        "faults": deeds.list_faults,
        "calls": deeds.read_calls,
        "counters": deeds.read_counters,
        "runs": deeds.read_runs,
        "sessions": deeds.read_sessions,
        "threads": deeds.read_threads,
    }
    writes: dict[str, Deed] = {
        "keys": deeds.add_key,
        "keys/state": deeds.set_key_state,
        "workflows": deeds.set_workflow,
        "models": deeds.set_model,
        "policy": deeds.set_policy,
        "host": deeds.set_host,
        "latency": deeds.set_latency,
        "fault": deeds.add_fault,
        "sessions/expire": deeds.expire_sessions,
        "reset": lambda world, body: world.reset(),
    }
    for path, read in reads.items():
        app.router.add_get(f"/control/{path}", _reading(read))
    for path, deed in writes.items():
        app.router.add_post(f"/control/{path}", _writing(deed))
    app.router.add_delete("/control/fault", _writing(lambda world, body: world.faults.clear()))
    app.router.add_delete("/control/calls", _writing(lambda world, body: world.journal.clear()))


@web.middleware
async def loopback_only(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
    """Guards the control API and its page; the API of the sandbox itself may be reached from anywhere."""
    if request.path.startswith("/v1/") or not request.path.startswith("/control"):
        return await handler(request)
    host = request.host.lower()
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    origin = request.headers.get(hdrs.ORIGIN)
    if not _is_loopback(request.remote) or name not in LOOPBACK_NAMES or origin not in (None, f"http://{request.host}"):
        return web.json_response(
            {"error": "the control API answers only on this machine, by a loopback name"}, status=403
        )
    return await handler(request)


def _reading(read: Callable[[World, dict[str, str]], object]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return _answered(lambda: read(request.app[WORLD], dict(request.query)))

    return handle


def _writing(deed: Deed) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        raw = await request.read()
        if raw and request.content_type != "application/json":
            return web.json_response({"error": "send JSON: Content-Type: application/json"}, status=415)
        world = request.app[WORLD]
        world.changed = True
        return _answered(lambda: deed(world, _object(raw)))

    return handle


def _answered(deed: Callable[[], object]) -> web.Response:
    try:
        result = deed()
    except deeds.NotUnderstood as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response({"ok": True} if result is None else result)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise deeds.NotUnderstood("the body is not JSON") from None
    if not isinstance(body, dict):
        raise deeds.NotUnderstood("the body must be a JSON object")
    return body


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
