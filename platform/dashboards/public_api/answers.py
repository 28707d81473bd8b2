"""Answers of the public endpoints as OpenAPI's response objects: statuses and sentences come from gateway.errors."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.errors import Code, PublicError
from gateway.lean import BODY_SECONDS

Answer = dict[str, Any]
Answers = dict[str, Answer]

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {
        "description": "Name it to the operator, who finds the request by it.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
    "Vary": {"description": "What a cache has to tell answers apart by.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "Whether anybody may keep the answer.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
    "RateLimit": {
        "description": "The limit that is nearest to its end, and what is left of it (draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {"description": "The limits that count for this request.", "schema": {"type": "string"}},
    "Access-Control-Allow-Origin": {
        "description": "The request's Origin byte for byte, where that page may read the answer.",
        "schema": {"type": "string"},
    },
    "Access-Control-Expose-Headers": {
        "description": "What the page's code may read of these headers.",
        "schema": {"type": "string"},
    },
    "Access-Control-Allow-Methods": {"description": "", "schema": {"type": "string"}},
    "Access-Control-Allow-Headers": {
        "description": "Those of the requested names that are valid, at most 20.",
        "schema": {"type": "string"},
    },
    "Access-Control-Max-Age": {"description": "Seconds.", "schema": {"type": "integer"}},
    "Allow": {"description": "The methods of this address.", "schema": {"type": "string"}},
    "ETag": {"description": "", "schema": {"type": "string"}},
    "Content-Encoding": {"description": "gzip, where the caller takes it.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "", "schema": {"type": "string"}},
}
ALWAYS: Final = ("X-Request-ID", "Vary")
SHARED: Final = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers")
LIMITED: Final = ("RateLimit", "RateLimit-Policy")
SOMETIMES: Final = ".sometimes"


def headers() -> dict[str, dict[str, Any]]:
    """`components.headers`: each as one that is always there, and as one that is there sometimes."""
    always = {name: {**header, "required": True} for name, header in HEADERS.items()}
    return always | {f"{name}{SOMETIMES}": header for name, header in HEADERS.items()}


def answer(
    description: str,
    *,
    content: Mapping[str, Any] | None = None,
    always: Iterable[str] = (),
    sometimes: Iterable[str] = (),
) -> Answer:
    """`always` and `sometimes` name headers, beside those that every answer has."""
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *always)}
    headers |= {name: {"$ref": f"#/components/headers/{name}{SOMETIMES}"} for name in sometimes if name not in headers}
    return {"description": description, "headers": headers, **({"content": dict(content)} if content else {})}


def json_content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def text_content(media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string"}}}


def refusals(codes: Iterable[Code], *, sometimes: Iterable[str] = ()) -> Answers:
    """By status: which codes it can carry, with the sentence of each."""
    by_status: dict[int, list[PublicError]] = {}
    for code in codes:
        error = PublicError(code)
        by_status.setdefault(error.status, []).append(error)
    return {str(status): _refusal(errors, sometimes) for status, errors in sorted(by_status.items())}


def too_slow() -> Answer:
    """The one answer that is given before there is a request to name."""
    said = f"The body took longer than {BODY_SECONDS} s. No body, no headers; the connection is closed."
    return {"description": said}


def _refusal(errors: list[PublicError], sometimes: Iterable[str]) -> Answer:
    always = ["Cache-Control"]
    extra = list(sometimes)
    if any(error.code is Code.METHOD_NOT_ALLOWED for error in errors):
        always.append("Allow")
    waiting_helps = [error.retry_after is not None for error in errors]
    if any(waiting_helps):
        (always if all(waiting_helps) else extra).append("Retry-After")
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": [error.code.value for error in errors]}}}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Error"}, narrowed]}
    return answer(
        "\n".join(f"- `{error.code}`: {error.message}" for error in errors),
        content={"application/json": {"schema": schema}},
        always=always,
        sometimes=extra,
    )
