"""Good answers as raw bytes, which the faults then spoil."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from sandbox.faults.wire import Received


def good_body(received: Received) -> dict[str, Any]:
    """What OpenAI would answer to this call if all were well."""
    path = received.path.partition("?")[0]
    if path.endswith("/sessions"):
        return session(received)
    if path.endswith("/cancel"):
        return session(received, id=path.split("/")[-2], status="cancelled", client_secret="")
    if received.method == "DELETE":
        return {"id": path.rpartition("/")[2], "object": "chatkit.thread.deleted", "deleted": True}
    return {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def session(received: Received, **changes: Any) -> dict[str, Any]:
    """The session that was asked for, with some fields replaced."""
    asked = _asked(received.body)
    workflow = asked.get("workflow") if isinstance(asked.get("workflow"), dict) else {}
    expires_at = int(time.time()) + 600
    good = {
        "id": f"cksess_{secrets.token_hex(24)}",
        "object": "chatkit.session",
        "status": "active",
        "expires_at": expires_at,
        "client_secret": f"ek_sandbox_{expires_at}_{secrets.token_hex(24)}",
        "user": asked.get("user", "somebody"),
        "workflow": {
            "id": "wf_sandbox_any",
            "version": None,
            "state_variables": None,
            "tracing": {"enabled": True},
            **(workflow or {}),
        },
        "rate_limits": {"max_requests_per_1_minute": 10},
        "max_requests_per_1_minute": 10,
        "chatkit_configuration": {
            "automatic_thread_titling": {"enabled": True},
            "file_upload": {"enabled": False, "max_file_size": 512, "max_files": 10},
            "history": {"enabled": True, "recent_threads": None},
        },
    }
    return {**good, **changes}


def _asked(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def error_body(message: str, *, type: str = "invalid_request_error", code: str | None = None) -> bytes:
    return encoded({"error": {"message": message, "type": type, "param": None, "code": code}})


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def head(
    status: str = "200 OK",
    *,
    length: int | None = None,
    content_type: str | None = "application/json",
    headers: Mapping[str, str] | None = None,
    keep_alive: bool = False,
) -> bytes:
    """A status line and headers; no length means that the end of the connection ends the body."""
    lines = [f"HTTP/1.1 {status}", "openai-version: 2020-10-01", "cf-ray: 8f00000000000000-SBX"]
    lines.append("Connection: keep-alive" if keep_alive else "Connection: close")
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def whole(
    body: bytes,
    status: str = "200 OK",
    *,
    content_type: str | None = "application/json",
    headers: Mapping[str, str] | None = None,
    keep_alive: bool = False,
) -> bytes:
    return head(status, length=len(body), content_type=content_type, headers=headers, keep_alive=keep_alive) + body


def good_answer(received: Received, *, keep_alive: bool = False, headers: Mapping[str, str] | None = None) -> bytes:
    return whole(encoded(good_body(received)), keep_alive=keep_alive, headers=headers)
