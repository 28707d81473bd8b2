"""How an answer of OpenAI is read: status, headers and bytes in, a value or an error of `errors.py` out, no I/O.

Only a 200 with well-formed JSON of the documented types is believed. Unknown fields are ignored, so that OpenAI may add
some; wrong types, duplicate keys, NaN, endless nesting and unprintable secrets are `UpstreamInvalid`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar

from chatkit_client.calls import SESSION_ID, THREAD_ID
from chatkit_client.classify import classify, has_envelope
from chatkit_client.errors import Reason, UpstreamInvalid

_CLIENT_SECRET = re.compile(r"[\x21-\x7e]{1,8192}")
_MEDIA_TYPE = re.compile(r"application/json(?:[ \t]*;.{0,200})?", re.IGNORECASE)
_LAST_SECOND_OF_9999: Final = 253_402_300_799
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


def read_session(answer: Answer, *, user: str) -> Session:
    """Read the answer to `create_session`; an echoed `user` must be the one that was asked for."""
    data = _read_object(answer)
    session = Session(
        id=_matching(answer, data, "id", SESSION_ID),
        client_secret=_matching(answer, data, "client_secret", _CLIENT_SECRET),
        expires_at=_take(answer, data, "expires_at", int),
        status=_take(answer, data, "status", str),
    )
    if not 0 < session.expires_at <= _LAST_SECOND_OF_9999:
        _refuse(answer, Reason.BODY_INVALID)
    if session.status != "active":
        _refuse(answer, Reason.BODY_INVALID)
    # Were answers ever to change places on a connection, one visitor would get the secret of another.
    if data.get("user", user) != user:
        _refuse(answer, Reason.ANSWER_MISMATCH)
    return session


def read_cancelled(answer: Answer, *, session_id: str) -> None:
    """Read the answer to `cancel_session`."""
    data = _read_object(answer)
    if _take(answer, data, "id", str) != session_id:
        _refuse(answer, Reason.ANSWER_MISMATCH)
    # "expired" is just as dead; "active" would mean that the cancellation did nothing.
    if _take(answer, data, "status", str) not in ("cancelled", "expired"):
        _refuse(answer, Reason.BODY_INVALID)


def read_threads(answer: Answer) -> ThreadPage:
    """Read the answer to `list_threads` and `read_probe`."""
    data = _read_object(answer)
    rows = _take(answer, data, "data", list)
    if len(rows) > _MAX_PAGE:
        _refuse(answer, Reason.BODY_INVALID)
    threads = tuple(_read_thread(answer, row) for row in rows)
    has_more = _take(answer, data, "has_more", bool)
    last_id = None if data.get("last_id") is None else _matching(answer, data, "last_id", THREAD_ID)
    # A page that promises more but gives no cursor would be read for ever.
    if has_more and last_id is None:
        _refuse(answer, Reason.BODY_INVALID)
    return ThreadPage(threads, has_more, last_id)


def read_deleted(answer: Answer, *, thread_id: str) -> None:
    """Read the answer to `delete_thread`."""
    data = _read_object(answer)
    if _take(answer, data, "id", str) != thread_id:
        _refuse(answer, Reason.ANSWER_MISMATCH)
    if _take(answer, data, "deleted", bool) is not True:
        _refuse(answer, Reason.BODY_INVALID)


def says_gone(answer: Answer) -> bool:
    """Say whether OpenAI itself (not some server in between) answers that it has no such session or thread."""
    return answer.status == 404 and has_envelope(answer.body)


def _read_thread(answer: Answer, row: object) -> Thread:
    if not isinstance(row, dict):
        _refuse(answer, Reason.BODY_INVALID)
    return Thread(_matching(answer, row, "id", THREAD_ID), _take(answer, row, "user", str))


def _read_object(answer: Answer) -> dict[str, Any]:
    """Give the JSON object of a 200, or raise what the answer means."""
    if answer.status != 200:
        raise classify(
            answer.status,
            answer.headers,
            answer.body,
            request_id=answer.request_id,
            latency_ms=answer.latency_ms,
        )
    if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
        _refuse(answer, Reason.CONTENT_ENCODING)
    if _MEDIA_TYPE.fullmatch(answer.headers.get("content-type", "").strip()) is None:
        _refuse(answer, Reason.CONTENT_TYPE)
    data = _parse_strictly(answer.body)
    if not isinstance(data, dict):
        _refuse(answer, Reason.BODY_INVALID)
    return data


def _parse_strictly(body: bytes) -> object:
    """Give the parsed body, or None where it isn't strict JSON in UTF-8 (None is no object either)."""
    try:
        return _DECODER.decode(body.decode("utf-8"))
    # ValueError: bad JSON, bad UTF-8, duplicate keys, NaN, integers of over 4,300 digits. RecursionError: nesting.
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("duplicate key")
    return data


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _take(answer: Answer, data: Mapping[str, Any], name: str, kind: type[_V]) -> _V:
    """Give `data[name]`, which must be of exactly this type (`True` is no integer here)."""
    value = data.get(name)
    if type(value) is not kind:
        _refuse(answer, Reason.BODY_INVALID)
    return value


def _matching(answer: Answer, data: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = _take(answer, data, name, str)
    if pattern.fullmatch(value) is None:
        _refuse(answer, Reason.BODY_INVALID)
    return value


def _refuse(answer: Answer, reason: Reason) -> NoReturn:
    raise UpstreamInvalid(reason, status=answer.status, request_id=answer.request_id, latency_ms=answer.latency_ms)
