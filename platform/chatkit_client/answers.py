"""How an answer of OpenAI is read: status, headers and bytes in, a value or an error of `errors.py` out, no I/O.

Only a 200 with well-formed JSON of the documented types is believed. Unknown fields are ignored, so that OpenAI may add
some; wrong types, duplicate keys, NaN, endless nesting and unprintable secrets are `UpstreamInvalid`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from chatkit_client.calls import SESSION_ID, THREAD_ID
from chatkit_client.classify import classify, has_envelope
from chatkit_client.credentials import SupportsReveal
from chatkit_client.echoes import repeats_key
from chatkit_client.errors import Reason, UpstreamInvalid

# The browser sends it as a bearer token, so it has that syntax (RFC 6750, b64token).
_CLIENT_SECRET = re.compile(r"(?=.{1,8192}\Z)[A-Za-z0-9._~+/-]+=*")
_MEDIA_TYPE = re.compile(r"application/json(?:[ \t]*;.{0,200})?", re.IGNORECASE)
# From 2023 to 2100: told without a clock, since ours may be wrong.
_PLAUSIBLE_EXPIRY: Final = range(1_700_000_000, 4_102_444_800)
_MAX_PAGE: Final = 100
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Answer:
    """A final HTTP answer; `headers` has lower-case names; they and the capped body are foreign: never log them."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    latency_ms: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A granted session; `client_secret` is a bearer credential, `expires_at` is in epoch seconds."""

    id: str
    client_secret: str = field(repr=False)
    expires_at: int
    status: str


@dataclass(frozen=True, slots=True)
class Thread:
    id: str
    user: str


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """One page of threads; `last_id` is the cursor for the next one."""

    threads: tuple[Thread, ...]
    has_more: bool
    last_id: str | None


class _Unfit(Exception):
    """Stops the reading of an answer; never leaves this module."""

    def __init__(self, reason: Reason = Reason.BODY_INVALID) -> None:
        super().__init__(reason)
        self.reason = reason


def read_session(answer: Answer, *, user: str, workflow_id: str, key: SupportsReveal) -> Session:
    """Read the answer to `create_session`, which was asked for this user and workflow with this key."""

    def read(data: Mapping[str, Any]) -> Session:
        session = Session(
            id=_matching(data, "id", SESSION_ID),
            client_secret=_matching(data, "client_secret", _CLIENT_SECRET),
            expires_at=_take(data, "expires_at", int),
            status=_take(data, "status", str),
        )
        _demand(data.get("object", "chatkit.session") == "chatkit.session")
        _demand(session.expires_at in _PLAUSIBLE_EXPIRY)
        _demand(session.status == "active")
        # Were answers ever to change places on a connection, one visitor would get the secret of another.
        _demand(data.get("user", user) == user, Reason.ANSWER_MISMATCH)
        _demand(_workflow_of(data, workflow_id) == workflow_id, Reason.ANSWER_MISMATCH)
        # The id is stored and the secret goes to a browser: neither may give the tenant's key away.
        _demand(not repeats_key(session.id, key.reveal()) and not repeats_key(session.client_secret, key.reveal()))
        return session

    return _read(answer, read)


def read_cancelled(answer: Answer, *, session_id: str) -> None:
    """Read the answer to `cancel_session`."""

    def read(data: Mapping[str, Any]) -> None:
        _demand(_take(data, "id", str) == session_id, Reason.ANSWER_MISMATCH)
        # "expired" is just as dead; "active" would mean that the cancellation did nothing.
        _demand(_take(data, "status", str) in ("cancelled", "expired"))

    _read(answer, read)


def read_threads(answer: Answer) -> ThreadPage:
    """Read the answer to `list_threads` and `read_probe`."""

    def read(data: Mapping[str, Any]) -> ThreadPage:
        rows = _take(data, "data", list)
        _demand(len(rows) <= _MAX_PAGE)
        threads = tuple(_read_thread(row) for row in rows)
        has_more = _take(data, "has_more", bool)
        last_id = None if data.get("last_id") is None else _matching(data, "last_id", THREAD_ID)
        # A page that promises more but gives no cursor would be read for ever.
        _demand(not has_more or last_id is not None)
        return ThreadPage(threads, has_more, last_id)

    return _read(answer, read)


def read_deleted(answer: Answer, *, thread_id: str) -> None:
    """Read the answer to `delete_thread`."""

    def read(data: Mapping[str, Any]) -> None:
        _demand(_take(data, "id", str) == thread_id, Reason.ANSWER_MISMATCH)
        _demand(_take(data, "deleted", bool))

    _read(answer, read)


def read_model(answer: Answer) -> None:
    """Read the answer to `show_model`. Its id may be that of a snapshot which the name stands for."""

    def read(data: Mapping[str, Any]) -> None:
        _demand(_take(data, "object", str) == "model")
        _take(data, "id", str)

    _read(answer, read)


def read_response(answer: Answer) -> tuple[bool, object]:
    """Read the answer to `shortest_answer`: whether the model ran, and else the error's code.

    A model that thinks first has used up so few tokens before its first word: that is “incomplete”, and proof enough.
    """

    def read(data: Mapping[str, Any]) -> tuple[bool, object]:
        _demand(_take(data, "object", str) == "response")
        status = _take(data, "status", str)
        if status in ("completed", "incomplete"):
            return True, None
        _demand(status == "failed")
        error = data.get("error")
        return False, error.get("code") if isinstance(error, dict) else None

    return _read(answer, read)


def says_gone(answer: Answer) -> bool:
    """Say whether OpenAI itself (not some server in between) answers that it has no such session or thread."""
    return answer.status == 404 and has_envelope(answer.body)


def _read(answer: Answer, read: Callable[[Mapping[str, Any]], _V]) -> _V:
    """Read a 200 with `read`, or raise what the answer means.

    Raised out here, with nothing but the answer in reach: error reporters print the local variables of each frame, and
    further down those hold what the upstream wrote.
    """
    if answer.status != 200:
        raise classify(
            answer.status,
            answer.headers,
            answer.body,
            request_id=answer.request_id,
            latency_ms=answer.latency_ms,
        )
    try:
        return read(_parse_object(answer))
    except _Unfit as unfit:
        reason = unfit.reason
    raise UpstreamInvalid(reason, status=answer.status, request_id=answer.request_id, latency_ms=answer.latency_ms)


def _parse_object(answer: Answer) -> Mapping[str, Any]:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    _demand(encoding == "identity", Reason.CONTENT_ENCODING)
    media_type = answer.headers.get("content-type", "").strip()
    _demand(_MEDIA_TYPE.fullmatch(media_type) is not None, Reason.CONTENT_TYPE)
    try:
        data = _DECODER.decode(answer.body.decode("utf-8"))
    # ValueError: bad JSON, bad UTF-8, duplicate keys, NaN, integers of over 4,300 digits. RecursionError: nesting.
    except (ValueError, RecursionError):
        raise _Unfit from None
    if not isinstance(data, dict):
        raise _Unfit
    return data


def _workflow_of(data: Mapping[str, Any], asked: str) -> object:
    workflow = data.get("workflow", {})
    return workflow.get("id", asked) if isinstance(workflow, dict) else None


def _read_thread(row: object) -> Thread:
    if not isinstance(row, dict):
        raise _Unfit
    return Thread(_matching(row, "id", THREAD_ID), _take(row, "user", str))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("duplicate key")
    return data


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _take(data: Mapping[str, Any], name: str, kind: type[_V]) -> _V:
    """Give `data[name]`, which must be of exactly this type (`True` is no integer here)."""
    value = data.get(name)
    if type(value) is not kind:
        raise _Unfit
    return value


def _matching(data: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = _take(data, name, str)
    _demand(pattern.fullmatch(value) is not None)
    return value


def _demand(holds: bool, reason: Reason = Reason.BODY_INVALID) -> None:
    if not holds:
        raise _Unfit(reason)
