"""What to send to OpenAI: each function turns arguments into a `Call`, without any I/O.

Source of paths, fields and limits: OpenAI's ChatKit API reference (`/v1/chatkit/…`, beta header `chatkit_beta=v1`), and
those of `/v1/models` and `/v1/responses` for the probe of a model; runs of models go by `model_client.py`.
Arguments come from our own rooms, so a wrong one is a defect of ours: `ValueError`, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote, urlencode

# Ids are pasted into paths, so only these characters can never change a path.
SESSION_ID = re.compile(r"cksess_[A-Za-z0-9_-]{1,200}")
THREAD_ID = re.compile(r"cthr_[A-Za-z0-9_-]{1,200}")
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
# Read with this user, a probe sees no visitor's thread titles.
PROBE_USER = "chatkit-platform.health-probe"

# What the probe of a model says, and the least that OpenAI lets an answer be limited to.
PROBE_INPUT = "Hello"
FEWEST_TOKENS = 16

_MAX_USER = 512
_MAX_EXPIRY_SECONDS = 600
_MAX_FILE_MB = 512
_MAX_VARIABLES = 64
_MAX_VARIABLE_NAME = 64
_NO_VARIABLES: Mapping[str, str | int | float | bool] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, relative to the base URL; `path` is already quoted and may hold a query."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    beta: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """What an assistant lets its sessions do; checked once, when it is made.

    `expires_after` in seconds (1 to 600), `max_file_size_mb` in megabytes (1 to 512), `recent_threads` None = all.
    """

    workflow_id: str
    workflow_version: str | None = None
    expires_after: int = 600
    max_requests_per_minute: int = 10
    history_enabled: bool = True
    recent_threads: int | None = None
    file_upload_enabled: bool = False
    max_files: int = 10
    max_file_size_mb: int = 512
    automatic_titles: bool = True
    tracing: bool = True
    state_variables: Mapping[str, str | int | float | bool] = field(default_factory=lambda: _NO_VARIABLES, repr=False)

    def __post_init__(self) -> None:
        _require(bool(self.workflow_id.strip()), "workflow_id is empty: give the assistant a workflow ID (wf_…)")
        # OpenAI accepts "latest" and then fails at the visitor's first message, without an error event.
        _require(
            self.workflow_version is None or self.workflow_version.strip().lower() not in ("", "latest"),
            "workflow_version must be a version number, or None for the newest: OpenAI knows no 'latest'",
        )
        _require(1 <= self.expires_after <= _MAX_EXPIRY_SECONDS, "expires_after must be 1 to 600 seconds")
        _require(self.max_requests_per_minute >= 1, "max_requests_per_minute must be at least 1")
        _require(self.recent_threads is None or self.recent_threads >= 1, "recent_threads must be at least 1, or None")
        _require(self.max_files >= 1, "max_files must be at least 1")
        _require(1 <= self.max_file_size_mb <= _MAX_FILE_MB, "max_file_size_mb must be 1 to 512")
        _require_variables(self.state_variables)


def create_session(
    *,
    user: str,
    settings: SessionSettings,
    state_variables: Mapping[str, str | int | float | bool] | None = None,
) -> Call:
    """Mint a session for one visitor; `user` (1 to 512 characters) scopes whose threads it can reach.

    `state_variables` are this visitor's own, and go over those of the settings.
    """
    _require(0 < len(user) <= _MAX_USER, "user must have 1 to 512 characters")
    variables = {**settings.state_variables, **(state_variables or {})}
    _require_variables(variables)
    workflow: dict[str, Any] = {"id": settings.workflow_id, "tracing": {"enabled": settings.tracing}}
    if settings.workflow_version is not None:
        workflow["version"] = settings.workflow_version
    if variables:
        workflow["state_variables"] = variables
    return Call(
        "POST",
        "/chatkit/sessions",
        {
            "user": user,
            "workflow": workflow,
            "expires_after": {"anchor": "created_at", "seconds": settings.expires_after},
            "rate_limits": {"max_requests_per_1_minute": settings.max_requests_per_minute},
            "chatkit_configuration": {
                "automatic_thread_titling": {"enabled": settings.automatic_titles},
                "file_upload": _file_upload(settings),
                "history": _history(settings),
            },
        },
    )


def cancel_session(session_id: str) -> Call:
    """End a session before its expiry; its client secret then opens nothing new."""
    _require(SESSION_ID.fullmatch(session_id) is not None, "session_id must look like cksess_…")
    return Call("POST", f"/chatkit/sessions/{session_id}/cancel")


def list_threads(
    *,
    limit: int = 20,
    after: str | None = None,
    user: str | None = None,
    order: Literal["asc", "desc"] = "desc",
) -> Call:
    """List threads, newest first; `limit` 0 to 100 (keep it at 50 or less, or long titles may exceed the body cap)."""
    _require(0 <= limit <= 100, "limit must be 0 to 100")
    _require(order in ("asc", "desc"), "order must be asc or desc")
    query: dict[str, str | int] = {"limit": limit, "order": order}
    if after is not None:
        _require(THREAD_ID.fullmatch(after) is not None, "after must look like cthr_…")
        query["after"] = after
    if user is not None:
        _require(0 < len(user) <= _MAX_USER, "user must have 1 to 512 characters")
        query["user"] = user
    return Call("GET", f"/chatkit/threads?{urlencode(query)}")


def delete_thread(thread_id: str) -> Call:
    """Delete a thread with its items and stored attachments."""
    _require(THREAD_ID.fullmatch(thread_id) is not None, "thread_id must look like cthr_…")
    return Call("DELETE", f"/chatkit/threads/{thread_id}")


def read_probe() -> Call:
    """Prove key and ChatKit access without any side effect and without reading a visitor's data."""
    return list_threads(limit=1, user=PROBE_USER)


def show_model(model: str) -> Call:
    """Prove that the key may see this model; costs nothing."""
    return Call("GET", f"/models/{quote(_checked_model(model), safe=':')}", beta=False)


def shortest_answer(model: str) -> Call:
    """Prove that the key may run this model, by one word and the shortest answer there is; OpenAI stores nothing of it."""
    body = {"model": _checked_model(model), "input": PROBE_INPUT, "max_output_tokens": FEWEST_TOKENS, "store": False}
    return Call("POST", "/responses", body, beta=False)


def _checked_model(model: str) -> str:
    _require(MODEL.fullmatch(model) is not None, "a model's name has 1 to 100 of A-Z a-z 0-9 . _ : / -")
    return model


def _file_upload(settings: SessionSettings) -> dict[str, Any]:
    if not settings.file_upload_enabled:
        return {"enabled": False}
    return {"enabled": True, "max_files": settings.max_files, "max_file_size": settings.max_file_size_mb}


def _history(settings: SessionSettings) -> dict[str, Any]:
    if not settings.history_enabled or settings.recent_threads is None:
        return {"enabled": settings.history_enabled}
    return {"enabled": True, "recent_threads": settings.recent_threads}


def _require_variables(variables: Mapping[str, str | int | float | bool]) -> None:
    _require(len(variables) <= _MAX_VARIABLES, "state_variables holds more than 64 entries")
    _require(
        all(0 < len(name) <= _MAX_VARIABLE_NAME for name in variables),
        "each name in state_variables must have 1 to 64 characters",
    )
    _require(
        all(isinstance(value, (str, int)) or isfinite(value) for value in variables.values()),
        "each number in state_variables must be finite: JSON knows no NaN or Infinity",
    )


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
