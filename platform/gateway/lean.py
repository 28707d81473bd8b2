"""The lean door: Django's ASGI handler without what the public endpoints don't need.

Left out: the per-request thread context, the request signals, `settings.MIDDLEWARE`, and the hop to a thread for each
answer of 400 and above. So views here are async only; they touch the database through `gateway.database_threads` alone,
and reverse URLs by naming the urlconf. Kept: Django's requests, responses, URL patterns, and for streaming answers the
watch for a client that leaves.

`tests/gateway/test_lean.py` fails when Django's own handler changes, since what is overridden here must then be read anew.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from io import BytesIO
from typing import IO, Any, Final

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import get_resolver

from gateway.asgi_types import Receive, Scope, Send
from gateway.client_address import Client, identify
from gateway.fresh_ids import fresh_hex

MAX_BODY: Final = 8 * 1024
# An honest body of this size comes at once; whoever sends it byte by byte only wants to hold the connection.
BODY_SECONDS: Final = 10
REMEMBERED_PATHS: Final = 4096
LONGEST_REMEMBERED_PATH: Final = 120
BODILESS: Final = frozenset({204, 304})

logger = logging.getLogger(__name__)


class LeanRequest(ASGIRequest):
    """Django's request, and what the door knows of it.

    `body_is_too_large` says that the body was longer than the door takes and was not kept. `started` is on the
    monotonic clock.
    """

    def __init__(self, scope: Scope, body: IO[bytes], *, body_is_too_large: bool) -> None:
        super().__init__(scope, body)
        self.started = time.monotonic()
        self.request_id = fresh_hex()
        self.body_is_too_large = body_is_too_large
        self.client: Client = identify(self)


class LeanStream(StreamingHttpResponse):
    """`on_end` is called when the answer was sent or can't be, also where the client left before its first piece."""

    def __init__(
        self, pieces: AsyncIterator[bytes], *, headers: dict[str, str], on_end: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(pieces, headers=headers)
        self.on_end = on_end


Answer = HttpResponse | StreamingHttpResponse
View = Callable[[LeanRequest], Awaitable[Answer]]
Middleware = Callable[[View], View]


class LeanHandler(ASGIHandler):
    """Serves one urlconf through a short list of async middleware, the first of them outermost."""

    def __init__(
        self,
        urlconf: str,
        middleware: tuple[Middleware, ...],
        *,
        body_seconds: float = BODY_SECONDS,
        max_body: int = MAX_BODY,
    ) -> None:
        self._body_seconds = body_seconds
        self._max_body = max_body
        self._resolver = get_resolver(urlconf)
        self._resolve_lately = lru_cache(maxsize=REMEMBERED_PATHS)(self._resolver.resolve)
        # Import the views now: a defect in one of them must stop the start, not the first request.
        _ = self._resolver.url_patterns
        self._middleware = middleware
        # The answers in work, so that a shutdown can wait for them.
        self.running: set[asyncio.Task[Any]] = set()
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        chain: View = self._call_view
        for middleware in reversed(self._middleware):
            chain = middleware(chain)
        self._middleware_chain = chain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 an ASGI server runs each request in a task
        self.running.add(task)
        try:
            await self._serve(scope, receive, send)
        finally:
            self.running.discard(task)

    async def finish(self, *, seconds: float) -> None:
        """Wait for the answers in work, but no longer than this."""
        tasks = self.running - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(receive, seconds=self._body_seconds, most=self._max_body)
        except TimeoutError:
            await self.send_response(HttpResponse(status=408, headers={"Connection": "close"}), send)
            return
        if body is None:
            return
        is_too_large = len(body) > self._max_body
        try:
            request = LeanRequest(scope, BytesIO(b"" if is_too_large else body), body_is_too_large=is_too_large)
        except UnicodeDecodeError:
            await self.send_response(HttpResponse(status=400), send)
            return
        response = await self._middleware_chain(request)
        if isinstance(response, StreamingHttpResponse):
            await self._stream(response, receive, send)
            return
        if is_too_large:
            # The rest of the body is not read, so the connection can't carry another request.
            response["Connection"] = "close"
        if response.status_code not in BODILESS:
            response["Content-Length"] = str(len(response.content))
        await self.send_response(response, send)

    async def _call_view(self, request: LeanRequest) -> Answer:
        path = request.path_info
        # A tenant's pages ask for the same few paths; one that is long is a stranger's and not worth remembering.
        resolve = self._resolve_lately if len(path) <= LONGEST_REMEMBERED_PATH else self._resolver.resolve
        match = resolve(path)
        request.resolver_match = match
        response: Answer = await match.func(request, *match.args, **match.kwargs)
        return response

    async def _stream(self, response: StreamingHttpResponse, receive: Receive, send: Send) -> None:
        """Send a streaming answer until it ends or the client leaves: the server's `send` is silent about that."""
        sender = asyncio.create_task(self.send_response(response, send))
        watcher = asyncio.create_task(_client_left(receive))
        try:
            await asyncio.wait((sender, watcher), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watcher.cancel()
            sender.cancel()
            if isinstance(response, LeanStream):
                response.on_end()
            outcome, _ = await asyncio.gather(sender, watcher, return_exceptions=True)
        if isinstance(outcome, Exception):
            logger.error("A streaming answer broke off", exc_info=outcome)


async def _read_body(receive: Receive, *, seconds: float, most: int) -> bytes | None:
    """The body, or a little more than `most` bytes of it; None when the client left. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        message = await receive()
        body = bytes(message.get("body", b""))
        while message["type"] == "http.request" and message.get("more_body") and len(body) <= most:
            message = await receive()
            body += message.get("body", b"")
    return body if message["type"] == "http.request" else None


async def _client_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
