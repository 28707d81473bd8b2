"""Faults of content (U4): a 200 whose body is not what it should be."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from sandbox.faults.answers import encoded, good_body, session, whole
from sandbox.faults.wire import Fault, Play, Received, Wire

HTML = b"<!doctype html><html><body><h1>Just a moment...</h1><script>alert(1)</script></body></html>"
DEPTH = 100_000


def fixed(make: Callable[[Received], bytes], *, content_type: str | None = "application/json") -> Play:
    """A fault that answers 200 with the made body."""

    async def play(wire: Wire, received: Received) -> None:
        await wire.write(whole(make(received), content_type=content_type))

    return play


def changed(**fields: Any) -> Play:
    """A good session with some fields replaced."""
    return fixed(lambda received: encoded(session(received, **fields)))


def lacking(name: str) -> Play:
    """A good session without one field."""
    return fixed(
        lambda received: encoded({field: value for field, value in session(received).items() if field != name})
    )


def good(received: Received) -> bytes:
    return encoded(good_body(received))


def duplicate_keys(received: Received) -> bytes:
    first = encoded(good_body(received))
    return first[:-1] + b', "client_secret": "ek_sandbox_0_second", "data": []}'


def deep_nesting(received: Received) -> bytes:
    return good(received)[:-1] + b', "deep": ' + b"[" * DEPTH + b"]" * DEPTH + b"}"


def deep_only(received: Received) -> bytes:
    return b"[" * DEPTH


def not_a_number(received: Received) -> bytes:
    return good(received)[:-1] + b', "expires_at": NaN, "has_more": Infinity}'


def huge_integer(received: Received) -> bytes:
    return good(received)[:-1] + b', "expires_at": ' + b"9" * 5_000 + b"}"


def broken_unicode(received: Received) -> bytes:
    return good(received)[:-1] + b', "client_secret": "ek_\xff\xfe"}'


def lone_surrogate(received: Received) -> bytes:
    return good(received)[:-1] + b', "client_secret": "ek_\\ud800"}'


def two_values(received: Received) -> bytes:
    return good(received) + good(received)


BODY_FAULTS = (
    Fault("html_200", "U4", "an HTML page", fixed(lambda received: HTML, content_type="text/html")),
    Fault("html_as_json", "U4", "an HTML page that claims to be JSON", fixed(lambda received: HTML)),
    Fault("empty_200", "U4", "no body at all", fixed(lambda received: b"")),
    Fault("truncated_json", "U4", "JSON cut in half", fixed(lambda received: good(received)[:-40])),
    Fault("empty_object", "U4", "{}", fixed(lambda received: b"{}")),
    Fault("json_null", "U4", "null", fixed(lambda received: b"null")),
    Fault("json_array", "U4", "[]", fixed(lambda received: b"[]")),
    Fault("json_string", "U4", "a string", fixed(lambda received: b'"ek_sandbox_0_text"')),
    Fault("json_number", "U4", "a number", fixed(lambda received: b"42")),
    Fault("two_values", "U4", "two JSON values in a row", fixed(two_values)),
    Fault("secret_null", "U4", "client_secret null", changed(client_secret=None)),
    Fault("secret_int", "U4", "client_secret 42", changed(client_secret=42)),
    Fault("secret_list", "U4", "client_secret a list", changed(client_secret=["ek_sandbox_0_list"])),
    Fault("secret_object", "U4", "client_secret an object", changed(client_secret={"value": "ek_sandbox_0_x"})),
    Fault("secret_empty", "U4", "client_secret empty", changed(client_secret="")),
    Fault("secret_missing", "U4", "no client_secret", lacking("client_secret")),
    Fault("secret_4mb", "U4", "client_secret of 4 MB", changed(client_secret="ek_" + "x" * 4_000_000)),
    Fault("secret_10kb", "U4", "client_secret of 10 KB", changed(client_secret="ek_" + "x" * 10_000)),
    Fault("secret_unicode", "U4", "client_secret beyond ASCII", changed(client_secret="ek_ключ_🔑")),
    Fault("secret_newline", "U4", "client_secret with line breaks", changed(client_secret="ek_a\r\nX-Evil: 1")),
    Fault("secret_blank", "U4", "client_secret of blanks", changed(client_secret="   ")),
    Fault("secret_html", "U4", "client_secret of markup", changed(client_secret="ek_<script>alert(1)</script>")),
    Fault("id_missing", "U4", "no session id", lacking("id")),
    Fault("id_path", "U4", "a session id that changes a path", changed(id="cksess_../../models?x=1#")),
    Fault("id_int", "U4", "session id 7", changed(id=7)),
    Fault("expires_missing", "U4", "no expires_at", lacking("expires_at")),
    Fault("expires_text", "U4", "expires_at a string", changed(expires_at="1760170633")),
    Fault("expires_float", "U4", "expires_at with a fraction", changed(expires_at=1760170633.5)),
    Fault("expires_true", "U4", "expires_at true", changed(expires_at=True)),
    Fault("expires_past", "U4", "expires_at in 1970", changed(expires_at=1)),
    Fault("expires_negative", "U4", "expires_at -1", changed(expires_at=-1)),
    Fault("expires_far", "U4", "expires_at in the year 5138", changed(expires_at=99_999_999_999)),
    Fault("status_cancelled", "U4", "a session born cancelled", changed(status="cancelled")),
    Fault("other_user", "U4", "a session of somebody else", changed(user="v1.tn_other.somebody-else")),
    Fault("other_object", "U4", "an object of another kind", changed(object="chat.completion")),
    Fault("duplicate_keys", "U4", "client_secret twice", fixed(duplicate_keys)),
    Fault("deep_nesting", "U4", "100,000 brackets in a field", fixed(deep_nesting)),
    Fault("deep_only", "U4", "100,000 opening brackets", fixed(deep_only)),
    Fault("nan", "U4", "NaN and Infinity", fixed(not_a_number)),
    Fault("huge_integer", "U4", "an integer of 5,000 digits", fixed(huge_integer)),
    Fault("broken_unicode", "U4", "bytes that are not UTF-8", fixed(broken_unicode)),
    Fault("lone_surrogate", "U4", "half a surrogate pair", fixed(lone_surrogate)),
    Fault("utf16", "U4", "a good answer in UTF-16", fixed(lambda r: json.dumps(good_body(r)).encode("utf-16"))),
    Fault("bom", "U4", "a good answer behind a byte order mark", fixed(lambda r: b"\xef\xbb\xbf" + good(r))),
    Fault("wrong_content_type", "U4", "a good answer as text/html", fixed(good, content_type="text/html")),
    Fault("no_content_type", "U4", "a good answer without a type", fixed(good, content_type=None)),
    Fault("random_bytes", "U4", "256 random bytes", fixed(lambda received: secrets.token_bytes(256))),
)
