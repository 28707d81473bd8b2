"""The lean door's middleware, outermost first in LEAN_MIDDLEWARE; every one is async and knows nothing of sessions."""

from functools import lru_cache
from typing import Final

import structlog
from django.conf import settings
from django.http import Http404
from django.http.request import split_domain_port, validate_host

from gateway.errors import Code, PublicError, as_public, error_response
from gateway.lean import Answer, LeanRequest, Middleware, View

# A load balancer and a container ask these by address and over plain http.
PROBES: Final = frozenset({"/livez", "/readyz", "/metrics"})
# A host name has at most 253 characters, and a port five.
LONGEST_HOST: Final = 260
DEFAULT_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The door's own refusals too: a cache must never show one page's answer to another's.
    "Vary": "Origin",
}


def add_headers(view: View) -> View:
    """Name the request, and set what every answer carries; a view that has set a header itself knows better."""
    hsts = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains" if settings.SECURE_HSTS_SECONDS else ""

    async def middleware(request: LeanRequest) -> Answer:
        structlog.contextvars.bind_contextvars(request_id=request.request_id)
        response = await view(request)
        headers = response.headers
        for name, value in DEFAULT_HEADERS.items():
            headers.setdefault(name, value)
        if hsts and request.client.is_secure:
            headers["Strict-Transport-Security"] = hsts
        headers["X-Request-ID"] = request.request_id
        return response

    return middleware


def answer_errors(view: View) -> View:
    """Turn everything that is raised further in into the one error shape."""

    async def middleware(request: LeanRequest) -> Answer:
        try:
            return await view(request)
        except PublicError as error:
            return error_response(error, request_id=request.request_id)
        except Http404:
            return error_response(PublicError(Code.NOT_FOUND), request_id=request.request_id)
        except Exception as error:
            return error_response(as_public(error, path=request.path), request_id=request.request_id)

    return middleware


def require_host(*hosts: str) -> Middleware:
    """Refuse names that are not ours: they come from a mistaken proxy or an attempt to poison links."""

    @lru_cache(maxsize=128)
    def is_ours(header: str) -> bool:
        host, _ = split_domain_port(header)
        return bool(host) and validate_host(host, hosts)

    def wrap(view: View) -> View:
        async def middleware(request: LeanRequest) -> Answer:
            header = request.META.get("HTTP_HOST", "")
            if request.path not in PROBES and not (len(header) <= LONGEST_HOST and is_ours(header)):
                raise PublicError(Code.HOST_INVALID)
            return await view(request)

        return middleware

    return wrap


def require_https(view: View) -> View:
    """Refuse plain http where the operator requires https; a redirect would fail every preflight, silently."""

    async def middleware(request: LeanRequest) -> Answer:
        if settings.REQUIRE_HTTPS and not request.client.is_secure and request.path not in PROBES:
            raise PublicError(Code.HTTPS_REQUIRED)
        return await view(request)

    return middleware


def lean_middleware(*hosts: str) -> tuple[Middleware, ...]:
    return add_headers, answer_errors, require_host(*hosts), require_https
