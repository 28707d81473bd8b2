"""The only place where a client of the `openai` package is made: for model runs, with one tenant's key each.

    async with ModelClients(allowed_base_urls=…) as clients:
        client = clients.of(base_url, credentials)          # an AsyncOpenAI, good for one run
        async for event in await client.responses.create(model=…, input=…, stream=True): …

Loading this module costs a second and 60 MB, so only what runs models imports it. What the package would take from the
environment (organization, project, admin key, headers, base URL, proxies, certificates) is never used, nothing is tried
twice, and what goes wrong leaves as the tree of `chatkit_client.errors`: the package's own exceptions carry the request with its
Authorization header and what was said.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar, get_args

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError, AsyncOpenAI, AsyncStream
from openai.types.responses import ResponseCompletedEvent

from chatkit_client.base_urls import checked_base_url
from chatkit_client.classify import classify, classify_failure
from chatkit_client.credentials import HEADER_VALUE, Credentials
from chatkit_client.echoes import repeats_key
from chatkit_client.errors import ChatKitError, KeyRejected, Reason, UpstreamInvalid, UpstreamUnavailable
from chatkit_client.model_wire import open_http_client

CONNECT_SECONDS: Final = 2.0
IDLE_SECONDS: Final = 30.0
TOTAL_SECONDS: Final = 300.0
# A stream repeats what it says in its last events, with all that tools have found.
MAX_STREAM: Final = 16 * 1024 * 1024
MAX_ERROR_BODY: Final = 65_536
_END_SECONDS: Final = 0.5
_LONGEST_CAUSES: Final = 8
_T = TypeVar("_T")


class ModelClients:
    """One per process; entered on the loop that uses it. Times in seconds, sizes in bytes."""

    def __init__(
        self,
        *,
        allowed_base_urls: Collection[str],
        ca_file: str | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        max_stream: int = MAX_STREAM,
    ) -> None:
        self._allowed = frozenset(checked_base_url(url) for url in allowed_base_urls)
        self._http = open_http_client(
            connect_seconds=connect_seconds,
            idle_seconds=idle_seconds,
            total_seconds=total_seconds,
            max_stream=max_stream,
            ca_file=ca_file,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection; runs in work fail."""
        await self._http.aclose()

    def of(self, base_url: str, credentials: Credentials) -> AsyncOpenAI:
        """A client for one run; it needs no closing. ValueError for an address outside the allow-list."""
        base_url = base_url.rstrip("/")
        if base_url not in self._allowed:
            raise ValueError("This base URL is not in OPENAI_BASE_URLS: add it there, or choose one of those.")
        key = credentials.key.reveal()
        if not HEADER_VALUE.fullmatch(key):
            raise KeyRejected(Reason.INVALID_KEY)
        return _TenantClient(
            api_key=key,
            organization=credentials.organization or None,
            project=credentials.project or None,
            base_url=base_url,
            http_client=self._http,
            timeout=self._http.timeout,
            max_retries=0,
        )


class _TenantClient(AsyncOpenAI):
    """`organization` and `project` mean what was passed, also where that is None; the same of a copy with other options."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.organization = options.get("organization")
        self.project = options.get("project")
        self.admin_api_key = None
        self.webhook_secret = None
        # OPENAI_CUSTOM_HEADERS would replace the tenant's key.
        self._custom_headers = dict(options.get("default_headers") or {})

    def __repr__(self) -> str:
        return f"<client of {self.base_url}>"

    async def request(self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None) -> Any:
        """As the package's, but for the errors."""
        if stream_cls is not None:
            stream_cls = _PlainStream[get_args(stream_cls)[0]]  # type: ignore[misc] # known to the caller only
        try:
            return await super().request(cast_to, options, stream=stream, stream_cls=stream_cls)
        except Exception as error:
            failure = _without_key(_explain(error), self.api_key)
        # Outside of `except`, or it would carry the foreign one as its context.
        raise failure


class _PlainStream(AsyncStream[_T]):
    """Events until the response is completed; everything else that ends it is raised as one of our errors."""

    async def __stream__(self) -> AsyncIterator[_T]:
        failure: ChatKitError | None = None
        events: AsyncIterator[Any] = super().__stream__()
        try:
            async for event in events:
                kind = getattr(event, "type", None)
                failure = _failure_told(kind, event)
                if failure is not None:
                    break
                if kind == "response.incomplete":
                    event = _completed_early(event)
                if kind in ("response.completed", "response.incomplete"):
                    await _read_to_end(events)
                    yield event
                    return
                yield event
            else:
                failure = UpstreamInvalid(Reason.TRUNCATED, status=self.response.status_code)
        except Exception as error:
            failure = _explain(error)
        finally:
            await self.response.aclose()
        raise _without_key(failure, self._client.api_key)


async def _read_to_end(events: AsyncIterator[Any]) -> None:
    """Nothing follows a completed response, but a connection that was read to its end can be used again."""
    with suppress(Exception):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in events:
                pass


def _failure_told(kind: object, event: Any) -> ChatKitError | None:
    """What a failed response says of itself: its code, and nothing of its words."""
    if kind == "response.failed":
        return classify_failure(getattr(getattr(event.response, "error", None), "code", None))
    if kind in ("error", "response.error"):
        return classify_failure(getattr(event, "code", None))
    if kind == "response.incomplete" and not _has_words(event.response):
        return UpstreamInvalid(Reason.TRUNCATED, status=200)
    if kind is None or not isinstance(kind, str):
        return UpstreamInvalid(Reason.BODY_INVALID, status=200)
    return None


def _has_words(response: Any) -> bool:
    return any(getattr(item, "type", None) == "message" for item in getattr(response, "output", None) or ())


def _completed_early(event: Any) -> ResponseCompletedEvent:
    """An answer that reached the longest that was allowed is an answer, not a failure."""
    return ResponseCompletedEvent.construct(
        type="response.completed", response=event.response, sequence_number=getattr(event, "sequence_number", 0)
    )


def _without_key(error: ChatKitError, key: str) -> ChatKitError:
    """A code that repeats the key is dropped, for codes are logged."""
    if error.code is not None and repeats_key(error.code, key):
        error.code = None
    return error


def _explain(error: Exception) -> ChatKitError:
    """The error of ours that a foreign exception means; holds nothing of it but its class name."""
    if isinstance(error, ChatKitError):
        return error
    fault = type(error).__name__
    if isinstance(error, APIStatusError):
        return classify(
            error.status_code,
            {name.lower(): value for name, value in error.response.headers.items()},
            error.response.content[:MAX_ERROR_BODY],
            request_id=error.response.headers.get("x-request-id"),
        )
    if isinstance(error, APITimeoutError):
        reason = Reason.CONNECT_FAILED if _is_caused_by(error, httpx2.ConnectTimeout) else Reason.DEADLINE
        return UpstreamUnavailable(reason, fault=fault)
    if isinstance(error, APIConnectionError | httpx2.RequestError | ssl.SSLError):
        return UpstreamUnavailable(_broken_how(error), fault=fault)
    if isinstance(error, APIError):
        # An `error` object in the middle of the stream.
        return classify_failure(error.code)
    # Bytes that are no events, or events that are not OpenAI's.
    return UpstreamInvalid(Reason.BODY_INVALID, fault=fault)


def _broken_how(error: Exception) -> Reason:
    if _is_caused_by(error, ssl.SSLError):
        return Reason.TLS_FAILED
    if _is_caused_by(error, httpx2.ConnectError):
        return Reason.CONNECT_FAILED
    return Reason.RESET


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    cause: BaseException | None = error
    for _ in range(_LONGEST_CAUSES):
        if cause is None or isinstance(cause, kind):
            break
        cause = cause.__cause__ or cause.__context__
    return isinstance(cause, kind)
