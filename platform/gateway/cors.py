"""CORS on the public JSON endpoints: an allowed origin is echoed byte for byte, and cookies never play a part."""

import re
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase

MAX_AGE_SECONDS: Final = 600
MAX_HEADERS: Final = 20
EXPOSED: Final = "Retry-After, X-Request-ID, RateLimit, RateLimit-Policy"
# RFC 9110, 5.6.2, and short: whatever else a preflight asks for is not granted.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


def vary(response: HttpResponseBase) -> None:
    """Every answer differs by origin, refusals too: a cache must never show one page's answer to another's."""
    response["Vary"] = "Origin"


def share(response: HttpResponseBase, origin: str) -> None:
    """Let the page of this origin read the answer."""
    response["Access-Control-Allow-Origin"] = origin
    response["Access-Control-Expose-Headers"] = EXPOSED


def preflight_response(*, methods: str, requested_headers: str) -> HttpResponse:
    """The answer to an OPTIONS of an allowed origin, still to be shared; grants the names that are valid tokens."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    response["Allow"] = methods
    response["Access-Control-Allow-Methods"] = methods
    response["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
    granted = grantable(requested_headers)
    if granted:
        response["Access-Control-Allow-Headers"] = ", ".join(granted)
    return response


def grantable(requested_headers: str) -> list[str]:
    """The valid header names of an `Access-Control-Request-Headers` value, at most 20 of at most 64 characters."""
    names = (name.strip() for name in requested_headers.split(","))
    return [name for name in names if _TOKEN.fullmatch(name)][:MAX_HEADERS]
