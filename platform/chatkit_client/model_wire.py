"""What every model run goes through on its way to OpenAI and back: one pool of connections with bounds of our own.

The packages' own defaults read proxies, certificates and `.netrc` from the environment, keep cookies, decompress without
bound and know a timeout per read only. Here a call has a total deadline, an answer has a size, and nothing is decompressed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeVar

import httpx2

from chatkit_client.errors import ChatKitError, Reason, UpstreamInvalid, UpstreamUnavailable
from chatkit_client.transport import request_id_of, tls_context

_KEEP_ALIVE_SECONDS: Final = 60
T = TypeVar("T")


def open_http_client(
    *, connect_seconds: float, idle_seconds: float, total_seconds: float, max_stream: int, ca_file: str | None
) -> httpx2.AsyncClient:
    """One for all tenants of a process: it holds no key. Sizes in bytes."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_KEEP_ALIVE_SECONDS)
    inner = httpx2.AsyncHTTPTransport(verify=tls_context(ca_file), trust_env=False, limits=limits)
    return httpx2.AsyncClient(
        transport=_BoundedTransport(inner, total_seconds=total_seconds, max_stream=max_stream),
        timeout=httpx2.Timeout(idle_seconds, connect=connect_seconds),
        # What was set for one tenant's account must not go out with another's key.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


class _BoundedTransport(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncHTTPTransport, *, total_seconds: float, max_stream: int) -> None:
        self._inner = inner
        self._total_seconds = total_seconds
        self._max_stream = max_stream

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        ends_at = asyncio.get_running_loop().time() + self._total_seconds
        # With `identity` asked for; the packages name what they can decompress.
        request.headers["Accept-Encoding"] = "identity"
        request.headers.pop("Cookie", None)
        response = await _before(ends_at, self._inner.handle_async_request(request))
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise UpstreamInvalid(Reason.CONTENT_ENCODING, status=response.status_code)
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise UpstreamInvalid(Reason.UNREADABLE, status=response.status_code)
        _keep_clean_id(response, request)
        response.stream = _BoundedStream(response.stream, ends_at=ends_at, most=self._max_stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _keep_clean_id(response: httpx2.Response, request: httpx2.Request) -> None:
    """OpenAI's id of the request goes into ledger and log, so it may not be anything else."""
    clean = request_id_of(response.headers, request.headers.get("Authorization", "").removeprefix("Bearer "))
    response.headers.pop("x-request-id", None)
    if clean is not None:
        response.headers["x-request-id"] = clean


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, *, ends_at: float, most: int) -> None:
        self._inner = inner
        self._ends_at = ends_at
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        pieces = self._inner.__aiter__()
        while True:
            piece = await _before(self._ends_at, anext(pieces, None))
            if piece is None:
                return
            size += len(piece)
            if size > self._most:
                raise UpstreamInvalid(Reason.OVERSIZED)
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _before(ends_at: float, work: Awaitable[T]) -> T:
    late: ChatKitError
    try:
        async with asyncio.timeout_at(ends_at):
            return await work
    except TimeoutError:
        late = UpstreamUnavailable(Reason.DEADLINE)
    raise late
