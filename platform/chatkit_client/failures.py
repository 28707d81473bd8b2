"""Why no answer came: a foreign exception is turned into a value that holds nothing of it but its class name.

A value, not an exception: raised inside `except`, ours would carry aiohttp's as its context, and aiohttp's hold the
request with its Authorization header.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import aiohttp

from chatkit_client.errors import ChatKitError, Reason, UpstreamInvalid, UpstreamUnavailable
from chatkit_client.wire import BoundedHandler, HeadTooLarge, StaleConnection


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no answer came; `stale` says that the same request may be sent once more."""

    kind: type[ChatKitError]
    reason: Reason
    fault: str | None = None
    status: int | None = None
    request_id: str | None = None
    stale: bool = False


def explain_connecting(error: Exception) -> Failure:
    """Why there is no connection."""
    if isinstance(error, TimeoutError):
        # aiohttp's pool raises the bare one; the deadline of the whole call comes as a cancellation.
        return Failure(UpstreamUnavailable, Reason.CONNECT_FAILED, aiohttp.ConnectionTimeoutError.__name__)
    return explain(error)


def explain(error: Exception) -> Failure:
    """Why no final head came."""
    fault = type(error).__name__
    if isinstance(error, StaleConnection):
        return Failure(UpstreamUnavailable, Reason.RESET, fault, stale=True)
    if isinstance(error, HeadTooLarge):
        return Failure(UpstreamInvalid, Reason.HEAD_TOO_LARGE, fault)
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Failure(UpstreamUnavailable, Reason.TLS_FAILED, fault)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Failure(UpstreamUnavailable, Reason.CONNECT_FAILED, fault)
    if isinstance(error, (aiohttp.ClientConnectionError, OSError)):
        return Failure(UpstreamUnavailable, Reason.RESET, fault)
    # What is left is the parser's: bytes that are no HTTP answer.
    return Failure(UpstreamInvalid, Reason.UNREADABLE, fault)


def explain_body(error: Exception, handler: object) -> Failure:
    """Why a body that had begun did not end: broken off (the network's fault) or short of its length (the sender's)."""
    fault = type(error).__name__
    if isinstance(handler, BoundedHandler) and handler.broke_off:
        return Failure(UpstreamUnavailable, Reason.RESET, fault)
    return Failure(UpstreamInvalid, Reason.TRUNCATED, fault)
