"""The one way out to OpenAI: carries a `Call`, brings back an `Answer`, within one deadline and fixed caps.

No redirect is followed, no proxy, `.netrc`, cookie or CA file of the environment is read, nothing is decompressed, and
only base URLs of the operator's allow-list are called, since each call carries a tenant's key.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import re
import ssl
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
import certifi

from chatkit_client.answers import Answer
from chatkit_client.base_urls import checked_base_url
from chatkit_client.calls import Call
from chatkit_client.credentials import HEADER_VALUE, Credentials, SupportsReveal
from chatkit_client.echoes import repeats_key
from chatkit_client.errors import KeyRejected, Reason, UpstreamInvalid, UpstreamUnavailable
from chatkit_client.failures import Failure, explain, explain_body, explain_connecting
from chatkit_client.route import Route
from chatkit_client.wire import BoundedConnector, BoundedHandler

__all__ = ["Credentials", "SupportsReveal", "Transport"]

logger = logging.getLogger(__name__)

_KEPT_HEADERS: Final = ("content-type", "content-encoding", "retry-after")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
# Longer than a busy platform's gaps, so that handshakes are rare; a connection that the server closed is noticed.
_KEEP_ALIVE_SECONDS: Final = 60
_DNS_SECONDS: Final = 30
# Passed to aiohttp's parser of answers.
_READING: Final[dict[str, Any]] = {
    "read_until_eof": True,
    "auto_decompress": False,
    "read_bufsize": 16 * 1024,
    "max_line_size": 4096,
    "max_field_size": 8190,
    "max_headers": 100,
}


class Transport:
    """One pool of connections to OpenAI; made once per process and entered on the loop that uses it.

    `connect_timeout` (DNS, TCP and TLS) and `deadline` (everything) in seconds, `max_body` in bytes, `limit` the number
    of connections (0 = as many as there are calls). `ca_file` replaces the CA bundle, for an operator's own TLS proxy.
    """

    def __init__(
        self,
        *,
        allowed_base_urls: Collection[str],
        connect_timeout: float = 2.0,
        deadline: float = 8.0,
        max_body: int = 65536,
        limit: int = 0,
        ca_file: str | None = None,
    ) -> None:
        self._allowed = frozenset(checked_base_url(url) for url in allowed_base_urls)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect_timeout)
        self._deadline = deadline
        self._max_body = max_body
        self._limit = limit
        # Loading a CA bundle takes 20 to 36 ms: once per process, not once per call.
        self._tls = tls_context(ca_file)
        self._pool: BoundedConnector | None = None
        self._fresh: BoundedConnector | None = None
        self._routes: dict[str, Route] = {}

    async def __aenter__(self) -> Self:
        self._pool = self._open(keepalive_timeout=_KEEP_ALIVE_SECONDS)
        # Never hands out a used connection, so a second attempt can't meet a second stale one.
        self._fresh = self._open(force_close=True)
        self._routes = {base_url: Route.to(base_url) for base_url in self._allowed}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; calls in flight fail as `reset`."""
        for pool in (self._pool, self._fresh):
            if pool is not None:
                await pool.close()
        self._pool = self._fresh = None

    async def send(
        self,
        base_url: str,
        credentials: Credentials,
        call: Call,
        *,
        deadline: float | None = None,
        fresh: bool = False,
    ) -> Answer:
        """Carry the call and give OpenAI's final answer, whatever its status; raise where there is none.

        `deadline` in seconds covers DNS, connection, TLS, headers, body and the one second attempt. A base URL outside
        the allow-list is a `ValueError` before anything is sent. `fresh`: on a connection that has carried nothing yet.
        """
        if self._pool is None or self._fresh is None:
            raise RuntimeError("The transport is not open: use it inside `async with transport:`.")
        base_url = base_url.rstrip("/")
        route = self._routes.get(base_url)
        if route is None:
            raise ValueError("This base URL is not in OPENAI_BASE_URLS: add it there, or choose one of those.")
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._deadline if deadline is None else deadline):
                outcome = await self._exchange(self._fresh if fresh else self._pool, route, credentials, call, started)
                # Not one byte of an answer came, on a connection that had carried answers before: the server had most
                # likely closed it while idle. Should it have minted all the same, that session just expires unused.
                if isinstance(outcome, Failure) and outcome.stale:
                    outcome = await self._exchange(self._fresh, route, credentials, call, started)
        except TimeoutError:
            outcome = Failure(UpstreamUnavailable, Reason.DEADLINE)
        if isinstance(outcome, Answer):
            return outcome
        if outcome.reason is Reason.TLS_FAILED:
            logger.warning("tls_failed: the certificate of %s is refused (%s)", base_url, outcome.fault)
        raise outcome.kind(
            outcome.reason,
            status=outcome.status,
            request_id=outcome.request_id,
            latency_ms=_elapsed_ms(started),
            fault=outcome.fault,
        )

    def _open(self, **pool_options: bool | float) -> BoundedConnector:
        return BoundedConnector(ssl=self._tls, limit=self._limit, ttl_dns_cache=_DNS_SECONDS, **pool_options)

    async def _exchange(
        self, pool: BoundedConnector, route: Route, credentials: Credentials, call: Call, started: float
    ) -> Answer | Failure:
        """Send once; every foreign exception ends here, because some of aiohttp's say what was sent."""
        key = credentials.key.reveal()
        if not HEADER_VALUE.fullmatch(key):
            return Failure(KeyRejected, Reason.INVALID_KEY)
        request = route.request(call, key, credentials)
        try:
            connection = await pool.connect(route.target, traces=[], timeout=self._timeout)
        except Exception as error:
            return explain_connecting(error)
        try:
            return await self._converse(connection, request, key, started)
        finally:
            # A connection whose answer was read to its end has been given back by now. Any other is cut: an orderly end
            # would let an endless sender go on for a while.
            _drop(connection)

    async def _converse(
        self, connection: aiohttp.connector.Connection, request: bytes, key: str, started: float
    ) -> Answer | Failure:
        handler = connection.protocol
        try:
            if not isinstance(handler, BoundedHandler) or handler.transport is None:
                raise aiohttp.ServerDisconnectedError
            handler.set_response_params(**_READING)
            handler.transport.write(request)
            head, content = await handler.read()
        except Exception as error:
            return explain(error)
        request_id = request_id_of(head.headers, key)
        try:
            body = await self._read_body(head.headers, content)
        except Exception as error:
            return dataclasses.replace(explain_body(error, handler), status=head.code, request_id=request_id)
        if body is not None:
            connection.release()
        elif head.code == 200:
            return Failure(UpstreamInvalid, Reason.OVERSIZED, status=200, request_id=request_id)
        headers = {name: head.headers[name] for name in _KEPT_HEADERS if name in head.headers}
        return Answer(head.code, headers, body or b"", _elapsed_ms(started), request_id)

    async def _read_body(self, headers: Mapping[str, str], content: aiohttp.StreamReader) -> bytes | None:
        """Read the body piece by piece; None as soon as it is, or announces itself, larger than the cap."""
        # The parser has refused anything but digits.
        if int(headers.get("Content-Length", "0")) > self._max_body:
            return None
        pieces: list[bytes] = []
        size = 0
        while piece := await content.readany():
            size += len(piece)
            if size > self._max_body:
                return None
            pieces.append(piece)
        return b"".join(pieces)


def request_id_of(headers: Mapping[str, str], key: str) -> str | None:
    """OpenAI's id of this request, or Cloudflare's, unless it could be anything else."""
    value = headers.get("x-request-id") or headers.get("cf-ray") or ""
    if not _REQUEST_ID.fullmatch(value) or repeats_key(value, key):
        return None
    return value


def _drop(connection: aiohttp.connector.Connection) -> None:
    """Cut the connection now, unless it was given back."""
    if isinstance(connection.protocol, BoundedHandler):
        connection.protocol.abort()
    connection.close()


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    # Not `create_default_context`: it reads SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE from the environment.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(cafile=ca_file or certifi.where())
    return context


def _elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
