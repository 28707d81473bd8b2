"""The public door's one error shape: every code, its status, and a sentence that gives the developer the cure.

    {"error": {"code": str, "message": str, "request_id": str, "retry_after": int | null, "words"?: str}}

The message is for whoever reads the browser's console; `words`, where they are there, are the tenant's own for the visitor.
What lies behind it (`reason`) is for the operator alone: it goes to the ledger and the log and never into an answer.
"""

import json
import logging
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.http import HttpResponse

logger = logging.getLogger(__name__)
# Made once: `json.dumps` makes an encoder anew for each call that asks for anything but its defaults.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Code(StrEnum):
    TENANT_UNKNOWN = "tenant_unknown"
    ORIGIN_MISSING = "origin_missing"
    ORIGIN_NULL = "origin_null"
    ORIGIN_MALFORMED = "origin_malformed"
    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONTENT_TYPE_INVALID = "content_type_invalid"
    BODY_INVALID = "body_invalid"
    BODY_TOO_LARGE = "body_too_large"
    ASSISTANT_UNKNOWN = "assistant_unknown"
    INTEGRATION_OUTDATED = "integration_outdated"
    IDENTITY_REQUIRED = "identity_required"
    IDENTITY_INVALID = "identity_invalid"
    TOKEN_INVALID = "token_invalid"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    TENANT_MISCONFIGURED = "tenant_misconfigured"
    BUSY = "busy"
    UPSTREAM_THROTTLED = "upstream_throttled"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_INVALID = "upstream_invalid"
    PLATFORM_UNAVAILABLE = "platform_unavailable"
    INTERNAL_ERROR = "internal_error"
    # Before any endpoint is reached: the door itself.
    NOT_FOUND = "not_found"
    HOST_INVALID = "host_invalid"
    HTTPS_REQUIRED = "https_required"


@dataclass(frozen=True, slots=True)
class _Entry:
    """`retry_after` in seconds, where waiting alone may help."""

    status: int
    message: str
    retry_after: int | None = None


_TABLE: Final[dict[Code, _Entry]] = {
    Code.TENANT_UNKNOWN: _Entry(
        404,
        "No such tenant is served here. Compare the public ID (tn_…) with the snippet that the site admin gave you.",
    ),
    Code.ORIGIN_MISSING: _Entry(
        403, "The request has no Origin header. Call from a web page, or send the page's own: 'Origin: https://…'."
    ),
    Code.ORIGIN_NULL: _Entry(
        403, "The page has the opaque origin 'null' (a file, a sandboxed frame). Serve it from a website of your own."
    ),
    Code.ORIGIN_MALFORMED: _Entry(
        403, "The Origin header is not what browsers send. Its form is scheme://host[:port], lower case, nothing more."
    ),
    Code.ORIGIN_NOT_ALLOWED: _Entry(
        403, "This website may not open this chat. Ask the site admin to allow its origin: scheme, host and port count."
    ),
    Code.METHOD_NOT_ALLOWED: _Entry(
        405, "This address does not serve this method: use one that the Allow header names."
    ),
    Code.CONTENT_TYPE_INVALID: _Entry(
        415, "Send the header 'Content-Type: application/json', also with an empty body."
    ),
    Code.BODY_INVALID: _Entry(400, "The body must be one JSON object whose known fields have the documented types."),
    Code.BODY_TOO_LARGE: _Entry(413, "The body is too large: a session request has at most 8 KiB."),
    Code.ASSISTANT_UNKNOWN: _Entry(
        404, "The tenant has no such assistant. Compare data-assistant with the snippet that the site admin gave you."
    ),
    Code.INTEGRATION_OUTDATED: _Entry(
        409, "This assistant needs a newer integration. Use the current embed script, or the platform's React package."
    ),
    Code.IDENTITY_REQUIRED: _Entry(
        401, "This chat is for signed-in visitors. Send the identity_token that your own server signs for the visitor."
    ),
    Code.IDENTITY_INVALID: _Entry(
        401, "The identity_token was refused. Paste it into the token debugger of the admin, which says why."
    ),
    Code.TOKEN_INVALID: _Entry(
        401, "The token is not valid (any more). Nobody is signed in by it; ask the session endpoint for a new one."
    ),
    Code.RATE_LIMITED: _Entry(429, "Too many requests. Wait for retry_after seconds, then try again.", 1),
    Code.QUOTA_EXCEEDED: _Entry(
        429, "The tenant's quota is used up. Wait for retry_after, or ask the site admin.", 3600
    ),
    Code.TENANT_MISCONFIGURED: _Entry(
        503, "The chat is not set up correctly. The site admin sees the cause on the tenant's page in the admin."
    ),
    Code.BUSY: _Entry(503, "Too many of this tenant's requests are in work. Try again after retry_after seconds.", 1),
    Code.UPSTREAM_THROTTLED: _Entry(503, "OpenAI limits this tenant's rate. Try again after retry_after seconds.", 20),
    Code.UPSTREAM_UNAVAILABLE: _Entry(503, "OpenAI does not answer. Try again after retry_after seconds.", 5),
    Code.UPSTREAM_INVALID: _Entry(502, "OpenAI's answer could not be used. Try again after retry_after seconds.", 5),
    Code.PLATFORM_UNAVAILABLE: _Entry(
        503,
        "The platform cannot work just now. Try again after retry_after seconds; the operator can look up the request_id.",
        5,
    ),
    Code.INTERNAL_ERROR: _Entry(500, "A defect of the platform. Report the request_id to the site admin."),
    Code.NOT_FOUND: _Entry(404, "There is nothing at this address. Compare it with the snippet or the documentation."),
    Code.HOST_INVALID: _Entry(
        400, "The platform does not answer to this host name. The operator adds it to ALLOWED_HOSTS."
    ),
    Code.HTTPS_REQUIRED: _Entry(403, "Use https://. Nothing is served over plain http, and nothing is redirected."),
}


class PublicError(Exception):
    """A refusal or failure that the public is told about, and why (`reason`), which only the operator is told.

    `retry_after` in seconds, rounded up; None takes the code's own. `allow` names the methods of an address that was
    asked with another one. `detail` is a sentence of ours for the developer, never with anything of the request in it.
    `words` are what the visitor reads, where the tenant has given any.
    """

    def __init__(
        self,
        code: Code,
        *,
        reason: str = "",
        retry_after: float | None = None,
        allow: str = "",
        detail: str = "",
        words: str = "",
    ) -> None:
        super().__init__(code)
        entry = _TABLE[code]
        self.code = code
        self.reason = reason
        self.allow = allow
        self.words = words
        self.status = entry.status
        self.message = f"{entry.message} {detail}" if detail else entry.message
        self.retry_after = entry.retry_after if retry_after is None else max(1, math.ceil(retry_after))


def as_public(error: Exception, *, path: str) -> PublicError:
    """The error itself, or `internal_error` for what nobody foresaw, which is logged here with its trace."""
    if isinstance(error, PublicError):
        return error
    logger.error("A defect at %s", path, exc_info=error)
    return PublicError(Code.INTERNAL_ERROR, reason=type(error).__name__[:40])


def json_response(data: Any, *, status: int = 200) -> HttpResponse:
    """JSON that nobody may keep."""
    response = HttpResponse(_encode(data), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def error_response(error: PublicError, *, request_id: str) -> HttpResponse:
    body = {
        "code": error.code,
        "message": error.message,
        "request_id": request_id,
        "retry_after": error.retry_after,
    }
    if error.words:
        body["words"] = error.words
    response = json_response({"error": body}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if error.allow:
        response["Allow"] = error.allow
    return response
