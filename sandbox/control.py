"""`/control`: how a test, or a person at the page `/`, changes the world and reads what reached it.

Answers only callers on this machine, and only when they address it by a loopback name and send JSON, so that no web
page can reach it through a visitor's browser. All bodies and answers are JSON; a refusal is 400 `{"error": sentence}`.

    GET    /control/state                 everything: policy, keys, projects, host, faults, counts
    POST   /control/keys                  {key, project?, organization?, workflows?, state?, …} registers a key
    POST   /control/keys/state            {key | fingerprint | project | all: true, state, code?, retry_after?, times?}
    POST   /control/workflows             {id, project?, exists}      without project: in every project
    POST   /control/policy                {unknown_keys: prefix | invalid}
    POST   /control/host                  {mode, status?, delay_ms?, interval_ms?}
    POST   /control/latency               {ms}                        added to every answer
    POST   /control/fault                 {kind, path?, count?, key?, options?}    count null: until taken back
    DELETE /control/fault                 takes back all faults
    GET    /control/faults                the names and what they do
    GET    /control/calls                 ?since, limit, method, path, status, key, user, workflow, session, op, project
    DELETE /control/calls                 empties the journal and the counters
    GET    /control/counters              {total, by_route: {"POST /v1/chatkit/sessions 200": 3}}
    GET    /control/sessions              live sessions, without secrets
    POST   /control/sessions/expire       {id?}                       one session or all
    GET    /control/threads               ?project, user
    POST   /control/reset                 the sandbox as it was at its very first start
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import hdrs, web

from sandbox import errors
from sandbox.calls import WORLD
from sandbox.faults.table import FAULTS
from sandbox.keys import OPEN_PROJECT, Key, KeyState, UnknownKeys, fingerprint_of
from sandbox.world import FaultRule, HostMode, World

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
CALL_FILTERS = ("method", "path", "status", "key", "user", "workflow", "session", "op", "project", "fault")
LONGEST_DELAY_MS = 600_000

Deed = Callable[[World, dict[str, Any]], object]


class NotUnderstood(Exception):
    """A control call that means nothing; the text says what would."""


def add_routes(app: web.Application) -> None:
    reads: dict[str, Callable[[World, dict[str, str]], object]] = {
        "state": lambda world, query: describe(world),
        "faults": lambda world, query: [
            {"name": fault.name, "family": fault.family, "says": fault.says} for fault in FAULTS.values()
        ],
        "calls": read_calls,
        "counters": lambda world, query: {"total": world.journal.total, "by_route": dict(world.journal.counters)},
        "sessions": lambda world, query: [session.answer() for session in world.sessions.live()],
        "threads": read_threads,
    }
    writes: dict[str, Deed] = {
        "keys": add_key,
        "keys/state": set_key_state,
        "workflows": set_workflow,
        "policy": set_policy,
        "host": set_host,
        "latency": set_latency,
        "fault": add_fault,
        "sessions/expire": expire_sessions,
        "reset": lambda world, body: world.reset(),
    }
    for path, read in reads.items():
        app.router.add_get(f"/control/{path}", _reading(read))
    for path, deed in writes.items():
        app.router.add_post(f"/control/{path}", _writing(deed))
    app.router.add_delete("/control/fault", _writing(lambda world, body: world.faults.clear()))
    app.router.add_delete("/control/calls", _writing(lambda world, body: world.journal.clear()))


def describe(world: World) -> dict[str, Any]:
    accounts = world.accounts.dump()
    return {
        **accounts,
        "host": asdict(world.host),
        "faults": [asdict(rule) for rule in world.faults],
        "calls": world.journal.total,
        "live_sessions": len(world.sessions.live()),
        "threads": len(world.threads.by_id),
    }


def read_calls(world: World, query: dict[str, str]) -> object:
    wanted = {name: query[name] for name in CALL_FILTERS if name in query}
    since, limit = _whole(query.get("since", 0), "since"), _whole(query.get("limit", 1000), "limit")
    return world.journal.find(since=since, limit=limit, **wanted)


def read_threads(world: World, query: dict[str, str]) -> object:
    wanted = query.get("project"), query.get("user")
    return [
        {**thread.resource(), "project": thread.project, "items": len(thread.items)}
        for thread in world.threads.by_id.values()
        if wanted[0] in (None, thread.project) and wanted[1] in (None, thread.user)
    ]


def add_key(world: World, body: dict[str, Any]) -> object:
    value = body.get("key")
    if not isinstance(value, str) or not value:
        raise NotUnderstood('say which key: {"key": "sk-…"}')
    project_id = str(body.get("project") or OPEN_PROJECT)
    key = world.accounts.add_key(value, project=project_id, organization=str(body.get("organization") or ""))
    project = world.accounts.project(project_id)
    for workflow in body.get("workflows") or ():
        project.workflows.add(str(workflow))
        project.missing.discard(str(workflow))
    if "state" in body:
        _put(key, body)
    return asdict(key)


def set_key_state(world: World, body: dict[str, Any]) -> object:
    keys = _chosen_keys(world, body)
    for key in keys:
        _put(key, body)
    return [asdict(key) for key in keys]


def set_workflow(world: World, body: dict[str, Any]) -> object:
    workflow, exists = body.get("id"), body.get("exists")
    if not isinstance(workflow, str) or not isinstance(exists, bool):
        raise NotUnderstood('say which workflow and whether it exists: {"id": "wf_…", "exists": false}')
    named = body.get("project")
    if named is None:
        world.accounts.project(OPEN_PROJECT)
    projects = [world.accounts.project(str(named))] if named else list(world.accounts.projects.values())
    for project in projects:
        if exists:
            project.missing.discard(workflow)
            project.workflows.add(workflow)
        else:
            project.missing.add(workflow)
    return {"projects": [project.id for project in projects]}


def set_policy(world: World, body: dict[str, Any]) -> object:
    world.accounts.unknown_keys = _choice(UnknownKeys, body.get("unknown_keys"), "unknown_keys")
    return {"unknown_keys": world.accounts.unknown_keys}


def set_host(world: World, body: dict[str, Any]) -> object:
    host = world.host
    host.mode = _choice(HostMode, body.get("mode"), "mode")
    host.status = _whole(body.get("status", 503), "status")
    if not 500 <= host.status <= 599:
        raise NotUnderstood("status of a host that is down: 500 to 599")
    host.delay_ms = _delay(body.get("delay_ms", 2000), "delay_ms")
    host.interval_ms = _delay(body.get("interval_ms", 500), "interval_ms")
    return asdict(host)


def set_latency(world: World, body: dict[str, Any]) -> object:
    world.host.latency_ms = _delay(body.get("ms"), "ms")
    return asdict(world.host)


def add_fault(world: World, body: dict[str, Any]) -> object:
    kind, count = body.get("kind"), body.get("count", 1)
    if kind not in FAULTS:
        raise NotUnderstood("kind: one of those that GET /control/faults lists")
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise NotUnderstood("options: an object")
    key = body.get("key")
    rule = FaultRule(
        kind=str(kind),
        path=str(body.get("path") or "/v1/"),
        remaining=None if count is None else max(1, _whole(count, "count")),
        key=fingerprint_of(key) if isinstance(key, str) else None,
        options=options,
    )
    world.faults.append(rule)
    return asdict(rule)


def expire_sessions(world: World, body: dict[str, Any]) -> object:
    wanted = body.get("id")
    ended = [session for session in world.sessions.live() if wanted in (None, session.id)]
    for session in ended:
        session.expires_at = int(time.time()) - 1
    return {"expired": len(ended)}


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
    except NotUnderstood as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response({"ok": True} if result is None else result)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise NotUnderstood("the body is not JSON") from None
    if not isinstance(body, dict):
        raise NotUnderstood("the body must be a JSON object")
    return body


def _chosen_keys(world: World, body: dict[str, Any]) -> list[Key]:
    keys = world.accounts.keys
    if body.get("all") is True:
        return list(keys.values())
    if isinstance(body.get("project"), str):
        return [key for key in keys.values() if key.project == body["project"]]
    value = body.get("key")
    fingerprint = fingerprint_of(value) if isinstance(value, str) else body.get("fingerprint")
    found = keys.get(str(fingerprint))
    if found is None:
        raise NotUnderstood("no such key here: register it first (POST /control/keys), or use it once")
    return [found]


def _put(key: Key, body: dict[str, Any]) -> None:
    state = _choice(KeyState, body.get("state"), "state")
    code = str(body.get("code") or "")
    known = errors.BILLING_CODES if state is KeyState.BILLING else errors.THROTTLE_CODES
    if code and code not in known:
        raise NotUnderstood(f"code: one of {', '.join(known)}")
    retry_after = body.get("retry_after", 20)
    times = body.get("times")
    key.retry_after = None if retry_after is None else _whole(retry_after, "retry_after")
    key.times = None if times is None else max(1, _whole(times, "times"))
    key.state, key.code = state, code


def _choice(kind: Any, value: object, name: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise NotUnderstood(f"{name}: one of {', '.join(kind)}") from None


def _whole(value: object, name: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise NotUnderstood(f"{name}: a whole number") from None


def _delay(value: object, name: str) -> int:
    return min(LONGEST_DELAY_MS, max(0, _whole(value, name)))


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
