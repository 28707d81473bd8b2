"""What the control API can do to a world: each deed takes the world and the body, and returns what to tell."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from sandbox import errors
from sandbox.faults.table import FAULTS
from sandbox.keys import OPEN_PROJECT, Key, KeyState, UnknownKeys, fingerprint_of
from sandbox.responses.catalogue import MODELS
from sandbox.responses.stream_faults import FAMILY, STREAM_FAULTS, read_fault
from sandbox.world import FaultRule, HostMode, World

LONG_FIELDS = ("body", "headers", "header_names", "query")
CALL_FILTERS = (
    "method",
    "path",
    "status",
    "key",
    "user",
    "workflow",
    "session",
    "op",
    "project",
    "fault",
    "model",
    "outcome",
    "text",
)
LONGEST_DELAY_MS = 600_000
OUTCOMES = ("finished", "left", "cut")


class NotUnderstood(Exception):
    """A control call that means nothing; the text says what would."""


def describe(world: World, query: dict[str, str]) -> dict[str, Any]:
    accounts = world.accounts.dump()
    return {
        **accounts,
        "host": asdict(world.host),
        "faults": [asdict(rule) for rule in world.faults],
        "calls": world.journal.total,
        "live_sessions": len(world.sessions.live()),
        "threads": len(world.threads.by_id),
    }


def list_faults(world: World, query: dict[str, str]) -> object:
    wire = [{"name": fault.name, "family": fault.family, "says": fault.says} for fault in FAULTS.values()]
    return wire + [{"name": name, "family": FAMILY, "says": says} for name, says in STREAM_FAULTS.items()]


def read_runs(world: World, query: dict[str, str]) -> object:
    return {"running": len(world.callers.present), **{name: world.journal.outcomes[name] for name in OUTCOMES}}


def set_model(world: World, body: dict[str, Any]) -> object:
    model, exists = body.get("id"), body.get("exists")
    if model not in MODELS or not isinstance(exists, bool):
        raise NotUnderstood(f'say which of {", ".join(MODELS)}, and whether it exists: {{"id": "…", "exists": false}}')
    missing = world.catalogue.missing_models
    missing.discard(str(model)) if exists else missing.add(str(model))
    return {"models": world.catalogue.models()}


def read_counters(world: World, query: dict[str, str]) -> object:
    return {"total": world.journal.total, "by_route": dict(world.journal.counters)}


def read_sessions(world: World, query: dict[str, str]) -> object:
    return [session.answer() for session in world.sessions.live()]


def read_calls(world: World, query: dict[str, str]) -> object:
    wanted = {name: query[name] for name in CALL_FILTERS if name in query}
    since, limit = _whole(query.get("since", 0), "since"), _whole(query.get("limit", 1000), "limit")
    calls = world.journal.find(since=since, limit=limit, **wanted)
    if "brief" in query:
        calls = [{name: value for name, value in call.items() if name not in LONG_FIELDS} for call in calls]
    return calls


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
    if kind not in FAULTS and kind not in STREAM_FAULTS:
        raise NotUnderstood("kind: one of those that GET /control/faults lists")
    options = body.get("options") or {}
    if not isinstance(options, dict):
        raise NotUnderstood("options: an object")
    key = body.get("key")
    if kind in STREAM_FAULTS:
        _check_stream_fault(str(kind), options)
    rule = FaultRule(
        kind=str(kind),
        path=str(body.get("path") or ("/v1/responses" if kind in STREAM_FAULTS else "/v1/")),
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


def _check_stream_fault(kind: str, options: dict[str, Any]) -> None:
    try:
        read_fault(kind, options)
    except (TypeError, ValueError):
        raise NotUnderstood("options of a stream's fault: after, seconds and interval are numbers") from None


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
