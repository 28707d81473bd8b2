"""Which error an answer other than 200 is: by status and `error.code`.

Two cases carry no code at all (OpenAI sends `"code": null`), so there alone the message decides: "Missing scopes" and
"Workflow with id". Nothing of the message is kept: that of a 401 holds a masked form of the key.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from chatkit_client.errors import (
    BillingBlocked,
    ChatKitError,
    KeyRejected,
    ModelMissing,
    Reason,
    RegionBlocked,
    RequestRefused,
    Throttled,
    UpstreamInvalid,
    UpstreamUnavailable,
    WorkflowMissing,
)

# OpenAI sends these with a 429 as `error.code`, some also as `error.type`; waiting cures none of them.
BILLING_CODES: Final = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)
# OpenAI's error guide names the region as the one 403 there is, but its strings are unverified: so a 403 in OpenAI's
# shape means the region, unless it names another code or is a permission error of the key.
REGION_CODES: Final = frozenset({None, "unsupported_country_region_territory", "request_forbidden"})
MODEL_CODE: Final = "model_not_found"
# A lock or a slow request; OpenAI's own SDK retries both.
_PASSING_STATUSES: Final = frozenset({408, 409})
# What a stream that ends with `response.failed` or `error` may name; anything else is an error of OpenAI's own.
_STREAM_CODES: Final[dict[str | None, tuple[type[ChatKitError], Reason]]] = {
    "rate_limit_exceeded": (Throttled, Reason.THROTTLED),
    "slow_down": (Throttled, Reason.THROTTLED),
    "invalid_api_key": (KeyRejected, Reason.INVALID_KEY),
    MODEL_CODE: (ModelMissing, Reason.MODEL_MISSING),
    "context_length_exceeded": (RequestRefused, Reason.REQUEST_REFUSED),
    "invalid_prompt": (RequestRefused, Reason.REQUEST_REFUSED),
}
_CODE = re.compile(r"[a-z0-9_.]{1,64}")
_SECONDS = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,6})?")
_MIN_RETRY_AFTER: Final = 1
_MAX_RETRY_AFTER: Final = 300
_MAX_FIELD: Final = 64


@dataclass(frozen=True, slots=True)
class _Envelope:
    """The parts of OpenAI's error object that decide; `code` and `kind` are None unless they look like identifiers."""

    code: str | None
    kind: str | None
    names_scopes: bool
    names_workflow: bool


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    request_id: str | None = None,
    latency_ms: int | None = None,
) -> ChatKitError:
    """Give the error that this answer means; `headers` with lower-case names; never raises."""
    envelope = _read_envelope(body)
    kind, reason = _decide(status, envelope)
    return kind(
        reason,
        status=status,
        code=envelope.code if envelope else None,
        request_id=request_id,
        retry_after=parse_retry_after(headers.get("retry-after")),
        latency_ms=latency_ms,
    )


def classify_failure(code: object) -> ChatKitError:
    """Give the error that a model's stream means by its own `error.code`, after it had begun with a 200; never raises."""
    known = _identifier(code)
    kind, reason = _STREAM_CODES.get(known, (UpstreamUnavailable, Reason.SERVER_ERROR))
    if known in BILLING_CODES:
        kind, reason = BillingBlocked, Reason.BILLING
    return kind(reason, status=200, code=known)


def has_envelope(body: bytes) -> bool:
    """Say whether the body is an error object as OpenAI sends it."""
    return _read_envelope(body) is not None


def parse_retry_after(text: str | None, *, now: float | None = None) -> int | None:
    """Read `Retry-After` (seconds or an HTTP date) as whole seconds, clamped to 1…300; None where it says nothing."""
    if text is None or len(text) > _MAX_FIELD:
        return None
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return _clamp(float(text))
    try:
        moment = parsedate_to_datetime(text).timestamp()
    # The parser of the standard library fails in all these ways on garbage.
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return _clamp(moment - (time.time() if now is None else now))


def _clamp(seconds: float) -> int:
    return int(min(max(seconds, _MIN_RETRY_AFTER), _MAX_RETRY_AFTER))


def _decide(status: int, envelope: _Envelope | None) -> tuple[type[ChatKitError], Reason]:
    if status == 429:
        return _decide_limit(envelope)
    if status == 402:
        return BillingBlocked, Reason.BILLING
    if status == 401:
        return KeyRejected, _decide_key(envelope)
    if 500 <= status <= 599 or status in _PASSING_STATUSES:
        return UpstreamUnavailable, Reason.SERVER_ERROR
    if 300 <= status <= 399:
        return UpstreamInvalid, Reason.REDIRECTED
    # What is left means something only in OpenAI's own error shape; else something in between has answered.
    if not 400 <= status <= 499 or envelope is None:
        return UpstreamInvalid, Reason.UNEXPECTED_STATUS
    if status == 404 and envelope.names_workflow:
        return WorkflowMissing, Reason.WORKFLOW_MISSING
    # With a 403 where the key's project may not use it, with a 404 where it never was or is retired.
    if status in (403, 404) and envelope.code == MODEL_CODE:
        return ModelMissing, Reason.MODEL_MISSING
    if status == 451:
        return RegionBlocked, Reason.REGION_BLOCKED
    if status == 403:
        return _decide_forbidden(envelope)
    return RequestRefused, Reason.REQUEST_REFUSED


def _decide_limit(envelope: _Envelope | None) -> tuple[type[ChatKitError], Reason]:
    if envelope is not None and not BILLING_CODES.isdisjoint((envelope.code, envelope.kind)):
        return BillingBlocked, Reason.BILLING
    return Throttled, Reason.THROTTLED


def _decide_key(envelope: _Envelope | None) -> Reason:
    if envelope is None:
        return Reason.KEY_UNAUTHORISED
    if envelope.code == "invalid_api_key":
        return Reason.INVALID_KEY
    if envelope.names_scopes:
        return Reason.MISSING_SCOPE
    return Reason.KEY_UNAUTHORISED


def _decide_forbidden(envelope: _Envelope) -> tuple[type[ChatKitError], Reason]:
    if envelope.names_scopes:
        return KeyRejected, Reason.MISSING_SCOPE
    if envelope.code in REGION_CODES and envelope.kind != "permission_error":
        return RegionBlocked, Reason.REGION_BLOCKED
    return KeyRejected, Reason.KEY_UNAUTHORISED


def _read_envelope(body: bytes) -> _Envelope | None:
    """Read `{"error": {"message", "type", "param", "code"}}`; None where the body is anything else."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        return None
    message = error.get("message")
    text = message if isinstance(message, str) else ""
    return _Envelope(
        code=_identifier(error.get("code")),
        kind=_identifier(error.get("type")),
        names_scopes="Missing scopes" in text,
        names_workflow="Workflow with id" in text,
    )


def _identifier(value: object) -> str | None:
    return value if isinstance(value, str) and _CODE.fullmatch(value) else None
