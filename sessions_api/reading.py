"""Reads a session request: `{assistant?, visitor_token?, identity_token?, refresh?, backends?}`, all optional; and that of a
visitor who signs out: `{visitor_token}`.

An empty body means `{}`, since the guide's own component sends none. Unknown fields are ignored: nothing that a client
says about the user, the workflow, uploads, limits or expiry is even looked at. A known field of a wrong type is refused;
null counts as absent.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from gateway.errors import Code, PublicError
from gateway.lean import LeanRequest
from tenants.models.assistant import Backend

DEFAULT_BACKENDS: Final = (Backend.HOSTED_WORKFLOW.value,)


@dataclass(frozen=True, slots=True)
class SessionCall:
    assistant: str | None = None
    visitor_token: str | None = field(default=None, repr=False)
    identity_token: str | None = field(default=None, repr=False)
    refresh: bool = False
    backends: tuple[str, ...] = DEFAULT_BACKENDS


@dataclass(frozen=True, slots=True)
class EndCall:
    visitor_token: str | None = field(default=None, repr=False)


def read_session_call(request: LeanRequest) -> SessionCall:
    """Raises PublicError (method_not_allowed, content_type_invalid, body_…), in this order."""
    return _read(_read_object(request))


def read_end_call(request: LeanRequest) -> EndCall:
    """Raises PublicError as `read_session_call` does."""
    return EndCall(_text(_read_object(request), "visitor_token"))


def _read_object(request: LeanRequest) -> dict[str, Any]:
    if request.method != "POST":
        raise PublicError(Code.METHOD_NOT_ALLOWED, reason="method_not_allowed")
    # Any other type could be sent across origins without a preflight, even with an empty body.
    if request.content_type != "application/json":
        raise PublicError(Code.CONTENT_TYPE_INVALID, reason="content_type_invalid")
    if request.body_is_too_large:
        raise PublicError(Code.BODY_TOO_LARGE, reason="body_too_large")
    body = request.body.strip()
    return _parse(body) if body else {}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body.decode("utf-8"))
    # ValueError: bad JSON, bad UTF-8, integers of over 4,300 digits. RecursionError: nesting.
    except (ValueError, RecursionError):
        _refuse("not_json", "This one is not JSON in UTF-8.")
    if not isinstance(data, dict):
        _refuse("not_an_object", "This one is JSON, but no object.")
    return data


def _read(data: dict[str, Any]) -> SessionCall:
    refresh = data.get("refresh")
    if refresh is not None and not isinstance(refresh, bool):
        _refuse("refresh", "'refresh' must be true or false.")
    return SessionCall(
        assistant=_text(data, "assistant"),
        visitor_token=_text(data, "visitor_token"),
        identity_token=_text(data, "identity_token"),
        refresh=bool(refresh),
        backends=_backends(data),
    )


def _text(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        _refuse(name, f"'{name}' must be a string.")
    return value


def _backends(data: dict[str, Any]) -> tuple[str, ...]:
    value = data.get("backends")
    if value is None:
        return DEFAULT_BACKENDS
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        _refuse("backends", "'backends' must be a list of strings.")
    return tuple(value)


def _refuse(what: str, detail: str) -> NoReturn:
    """`what` and `detail` name a field of ours at most, never what the client sent."""
    raise PublicError(Code.BODY_INVALID, reason=f"body_{what}", detail=detail)
