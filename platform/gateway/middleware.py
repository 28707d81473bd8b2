"""What the stock door needs of the public one: the client's true address and scheme, and an id for each request."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from gateway.client_address import identify

Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def ClientAddressMiddleware(get_response: Handler) -> Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]:
    """Stands first: everything after it may believe REMOTE_ADDR, `is_secure()` and `request.request_id`."""
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            _introduce(request)
            return _named(request, await get_response(request))

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponse:
        _introduce(request)
        return _named(request, get_response(request))

    return sync_middleware


@sync_and_async_middleware
def ConsoleTurnsMiddleware(get_response: Handler) -> Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]:
    """Lets only so many console requests work at once that the public door always finds a connection in the pool.

    Without this, ten slow pages would look to the public door like a database that answers nothing.
    """
    if not settings.CONSOLE_CONCURRENCY:
        raise MiddlewareNotUsed
    if not iscoroutinefunction(get_response):
        # A management command or a test: no public door shares its pool.
        return get_response
    turns = asyncio.Semaphore(settings.CONSOLE_CONCURRENCY)

    async def middleware(request: HttpRequest) -> HttpResponse:
        async with turns:
            response: HttpResponse = await get_response(request)
            return response

    return middleware


def _introduce(request: HttpRequest) -> None:
    # As the connection has it, before our word goes over it.
    request.peer = request.META.get("REMOTE_ADDR", ""), request.scheme or "http"  # type: ignore[attr-defined]
    client = identify(request)
    scheme = "https" if client.is_secure else "http"
    request.META["REMOTE_ADDR"] = client.address
    request._get_scheme = lambda: scheme  # type: ignore[attr-defined] # the one place that both kinds of request ask
    request.client = client  # type: ignore[attr-defined]
    # Ours alone: an id that a client chose could be another request's.
    request.request_id = uuid.uuid4().hex  # type: ignore[attr-defined]
    structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]


def _named(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
    return response
