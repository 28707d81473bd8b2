"""The public endpoints by the names of their addresses: what each takes, and which answers and codes it can give.

What a code means, its status and its sentence stand in gateway.errors; here stands only which endpoint can say it. A run of
schemathesis against a real server (tests/public_api) finds every answer that is not foreseen here.
"""

from typing import Any, Final

from dashboards.public_api.answers import (
    LIMITED,
    SHARED,
    Answer,
    Answers,
    answer,
    json_content,
    refusals,
    text_content,
    too_slow,
)
from gateway.admission import TICKET_HEADER
from gateway.errors import Code

Operation = dict[str, Any]
Parameter = dict[str, Any]

_DOOR: Final = (Code.HOST_INVALID, Code.HTTPS_REQUIRED, Code.INTERNAL_ERROR)
_ADMISSION: Final = (
    *_DOOR,
    *(Code.TENANT_UNKNOWN, Code.PLATFORM_UNAVAILABLE, Code.RATE_LIMITED),
    *(Code.ORIGIN_MISSING, Code.ORIGIN_NULL, Code.ORIGIN_MALFORMED, Code.ORIGIN_NOT_ALLOWED),
)
_BODY: Final = (Code.METHOD_NOT_ALLOWED, Code.CONTENT_TYPE_INVALID, Code.BODY_INVALID, Code.BODY_TOO_LARGE)
_UPSTREAM: Final = (
    *(Code.TENANT_MISCONFIGURED, Code.BUSY),
    *(Code.UPSTREAM_THROTTLED, Code.UPSTREAM_UNAVAILABLE, Code.UPSTREAM_INVALID),
)
_SESSION: Final = (
    *(*_ADMISSION, *_BODY),
    *(Code.ASSISTANT_UNKNOWN, Code.INTEGRATION_OUTDATED, Code.IDENTITY_REQUIRED, Code.IDENTITY_INVALID),
    *(Code.QUOTA_EXCEEDED, *_UPSTREAM),
)
_SESSION_END: Final = (*_ADMISSION, *_BODY, Code.TOKEN_INVALID)
_CONFIGURATION: Final = (*_ADMISSION, Code.METHOD_NOT_ALLOWED, Code.ASSISTANT_UNKNOWN, Code.TENANT_MISCONFIGURED)
_SCRIPT: Final = (*_DOOR, Code.METHOD_NOT_ALLOWED)


def endpoints() -> dict[str, dict[str, Operation]]:
    """Operations by method, by the name of the address in the lean door's urlconf."""
    return {
        "widget-configuration": {
            "get": _configuration(),
            "options": _preflight("preflightConfiguration", "a preview's"),
        },
        "session": {"post": _create_session(), "options": _preflight("preflightSession", "the page's")},
        "session-end": {"post": _end_session(), "options": _preflight("preflightSessionEnd", "the page's")},
        "embed-script": {"get": _script("getScript", "The current script", _SCRIPT)},
        "embed-script-pinned": {
            "get": _script("getPinnedScript", "One release, which never changes", (*_SCRIPT, Code.NOT_FOUND))
        },
        "embed-chat": {
            "get": _script("getChatPart", "What a release fetches when a chat is opened", (*_SCRIPT, Code.NOT_FOUND))
        },
        "livez": {"get": _livez()},
        "readyz": {"get": _readyz()},
        "metrics": {"get": _metrics()},
    }


def _create_session() -> Operation:
    granted = answer(
        "A new session, with the tenant's key. Its row is in the ledger before the answer leaves.",
        content=json_content("Session"),
        always=("Cache-Control", *SHARED),
        sometimes=LIMITED,
    )
    return {
        "operationId": "createSession",
        "tags": ["Sessions"],
        "summary": "Grant a visitor a ChatKit session",
        "description": "A body of no bytes counts as `{}`, but its content type is demanded: it makes browsers ask first.",
        "parameters": [_origin(), _ticket(), _client()],
        "requestBody": {"required": True, "content": json_content("SessionCall")},
        "responses": {
            "200": granted,
            **refusals(_SESSION, sometimes=(*SHARED, *LIMITED)),
            "408": too_slow(),
        },
    }


def _end_session() -> Operation:
    return {
        "operationId": "endSession",
        "tags": ["Sessions"],
        "summary": "Sign a visitor out",
        "description": "The visitor's live sessions are cancelled at OpenAI.",
        "parameters": [_origin(), _client()],
        "requestBody": {"required": True, "content": json_content("SessionEnd")},
        "responses": {
            "204": answer("The visitor is signed out.", always=SHARED, sometimes=("Cache-Control", *LIMITED)),
            **refusals(_SESSION_END, sometimes=(*SHARED, *LIMITED)),
            "408": too_slow(),
        },
    }


def _preflight(name: str, whose: str) -> Operation:
    granted = answer(
        "The page may call.",
        always=(*SHARED, "Allow", "Access-Control-Allow-Methods", "Access-Control-Max-Age"),
        sometimes=("Access-Control-Allow-Headers",),
    )
    return {
        "operationId": name,
        "tags": ["Preflights"],
        "summary": f"The browser's own question before {whose} call",
        "parameters": [
            _origin(),
            _header("Access-Control-Request-Method", "The method to come.", example="POST"),
            _header("Access-Control-Request-Headers", "The names of the headers to come.", example="content-type"),
        ],
        "responses": {"204": granted, **refusals(_ADMISSION, sometimes=SHARED)},
    }


def _configuration() -> Operation:
    slug = {
        "name": "assistant",
        "in": "query",
        "description": "The assistant's slug. Absent or empty: the tenant's default one.",
        "schema": {"type": "string"},
        "example": "help",
    }
    return {
        "operationId": "getConfiguration",
        "tags": ["Widget"],
        "summary": "What the embed script draws the chat from",
        "description": "Decides on the origin as the session endpoint does, but any page may read why it was refused.",
        "parameters": [slug, _origin(), _ticket()],
        "responses": {
            "200": answer("", content=json_content("Configuration"), always=("Cache-Control", *SHARED)),
            **refusals(_CONFIGURATION, sometimes=SHARED),
        },
    }


def _script(name: str, summary: str, codes: tuple[Code, ...]) -> Operation:
    cached = ("Cache-Control", "ETag", "Access-Control-Allow-Origin")
    found = answer(
        "The script.",
        content=text_content("text/javascript"),
        always=cached,
        sometimes=("Content-Encoding",),
    )
    return {
        "operationId": name,
        "tags": ["Widget"],
        "summary": summary,
        "parameters": [
            _header("If-None-Match", "ETags of what the caller has."),
            _header("Accept-Encoding", "With gzip the script comes zipped.", example="gzip"),
        ],
        "responses": {
            "200": found,
            "304": answer("The caller has it.", always=cached),
            **refusals(codes),
        },
    }


def _livez() -> Operation:
    return {
        "operationId": "livez",
        "tags": ["Probes"],
        "summary": "Whether the process lives; depends on nothing else",
        "responses": {"200": answer("ok", content=text_content("text/plain")), **_probe()},
    }


def _readyz() -> Operation:
    ready = json_content("Readiness")
    return {
        "operationId": "readyz",
        "tags": ["Probes"],
        "summary": "Whether the process can serve",
        "responses": {
            "200": answer("It can.", content=ready, always=("Cache-Control",)),
            "503": answer("It can't.", content=ready, always=("Cache-Control",)),
            **_probe(),
        },
    }


def _metrics() -> Operation:
    return {
        "operationId": "metrics",
        "tags": ["Probes"],
        "summary": "Figures for Prometheus",
        "security": [{"operationsToken": []}],
        "responses": {
            "200": answer("", content=text_content("text/plain"), always=("Cache-Control",)),
            "401": _no_token("No token of ours."),
            **_probe(Code.HTTPS_REQUIRED, Code.PLATFORM_UNAVAILABLE),
            "403": _token_may_not(),
        },
    }


def _no_token(description: str) -> Answer:
    return answer(description, content=text_content("text/plain"), always=("WWW-Authenticate", "Cache-Control"))


def _token_may_not() -> Answer:
    """Said in text for the token and in the one shape for plain http."""
    over_http = refusals([Code.HTTPS_REQUIRED])["403"]
    content = {**text_content("text/plain"), **over_http["content"]}
    description = f"The token lacks the scope metrics:read; or, as JSON:\n{over_http['description']}"
    return answer(description, content=content, always=("Cache-Control",), sometimes=("WWW-Authenticate",))


def _probe(*codes: Code) -> Answers:
    return refusals((*codes, Code.METHOD_NOT_ALLOWED, Code.INTERNAL_ERROR))


def _origin() -> Parameter:
    description = "The page's origin. Browsers send it by themselves; it decides whether the page may call at all."
    return _header("Origin", description, required=True, example="https://shop.example")


def _ticket() -> Parameter:
    return _header(TICKET_HEADER, "Stands in for an allowed origin on the operator's own preview page.")


def _client() -> Parameter:
    return _header("X-ChatKit-Client", "Name and version of the caller, for the operator.", example="my-app/1.2.3")


def _header(name: str, description: str, *, required: bool = False, example: str | None = None) -> Parameter:
    parameter = {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }
    return parameter if example is None else {**parameter, "example": example}
