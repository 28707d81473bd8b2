"""Mints a session at OpenAI with the first of an assistant's keys that works.

Keys are tried in their order. One that is condemned gets no traffic, and one that fails again and again is left alone
for a while: that is a tenant's circuit breaker, kept per key, so that a bad first key never shuts out a good second. A
fault of the key (refused, no budget, workflow not found, throttled) hands over to the next key. Any other would meet
every key, so it ends the attempt; only an upstream that did not answer counts against the host as well.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.utils import timezone

from chatkit_client.calls import SessionSettings
from chatkit_client.client import ChatKitClient, Created
from chatkit_client.errors import (
    BillingBlocked,
    ChatKitError,
    KeyRejected,
    Reason,
    RegionBlocked,
    Throttled,
    UpstreamInvalid,
    UpstreamUnavailable,
    WorkflowMissing,
)
from chatkit_client.transport import Credentials
from gateway.breaker import Breaker, Breakers
from gateway.errors import Code, PublicError
from sessions_api.attempt import Attempt
from tenants.snapshot import AssistantSnapshot, KeySnapshot
from tenants.upstreams import UpstreamChoice

# For all keys together: a visitor waits no longer, however many keys there are.
DEADLINE_SECONDS: Final = 8.0
WORKFLOW_RETIRED: Final = "workflow_retired"

_CODES: Final[dict[type[ChatKitError], Code]] = {
    KeyRejected: Code.TENANT_MISCONFIGURED,
    WorkflowMissing: Code.TENANT_MISCONFIGURED,
    BillingBlocked: Code.TENANT_MISCONFIGURED,
    RegionBlocked: Code.TENANT_MISCONFIGURED,
    Throttled: Code.UPSTREAM_THROTTLED,
    UpstreamUnavailable: Code.UPSTREAM_UNAVAILABLE,
    UpstreamInvalid: Code.UPSTREAM_INVALID,
}
# Another key may fare better with these.
_KEY_FAULTS: Final = (KeyRejected, WorkflowMissing, BillingBlocked, Throttled)
# With less time than this left, the next key is not tried.
_MIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Minted:
    created: Created
    key: KeySnapshot
    credentials: Credentials


async def mint(
    *,
    client: ChatKitClient,
    breakers: Breakers,
    upstream: UpstreamChoice,
    assistant: AssistantSnapshot,
    session_settings: SessionSettings,
    user: str,
    attempt: Attempt,
    state_variables: Mapping[str, str | int | float | bool] | None = None,
) -> Minted:
    """A session of the visitor whom OpenAI knows as `user`; raises PublicError with the last key's reason."""
    ends_at = time.monotonic() + DEADLINE_SECONDS
    host = breakers.of_host(upstream.base_url)
    refusal = PublicError(Code.TENANT_MISCONFIGURED, reason="no_key")
    for key in assistant.keys:
        if key.credentials is None or key.problem:
            refusal = PublicError(Code.TENANT_MISCONFIGURED, reason=_since_sunset(key.problem))
            continue
        seconds = ends_at - time.monotonic()
        if seconds < _MIN_SECONDS:
            break
        pair = breakers.of((key.id, assistant.id))
        passage = pair.enter()
        if passage is None:
            refusal = _left_alone(pair)
            continue
        host_passage = host.enter(caller=key.id)
        if host_passage is None:
            passage.abandoned()
            raise _left_alone(host)
        attempt.key_id = key.id
        try:
            created = await client.create_session(
                upstream.base_url,
                key.credentials,
                user=user,
                settings=session_settings,
                state_variables=state_variables,
                deadline=seconds,
            )
        except ChatKitError as error:
            attempt.failed_upstream(error)
            refusal = public_error_of(error)
            passage.failed(refusal.code, cool_down=error.retry_after if isinstance(error, Throttled) else None)
            if isinstance(error, UpstreamUnavailable):
                host_passage.failed(refusal.code)
            else:
                host_passage.succeeded()
            if not isinstance(error, _KEY_FAULTS):
                raise refusal from None
        else:
            passage.succeeded()
            host_passage.succeeded()
            attempt.answered_upstream(
                latency_ms=created.latency_ms, status=created.status, request_id=created.request_id
            )
            return Minted(created, key, key.credentials)
        finally:
            # Only a caller who was cancelled comes here without a word on the outcome.
            passage.abandoned()
            host_passage.abandoned()
    raise refusal


def public_error_of(error: ChatKitError, *, today: date | None = None) -> PublicError:
    """What the public is told of an error at OpenAI; the reason says exactly which, to the operator."""
    code = _CODES.get(type(error), Code.UPSTREAM_INVALID)
    reason = _since_sunset(error.reason.value, today=today)
    return PublicError(code, reason=reason, retry_after=error.retry_after if isinstance(error, Throttled) else None)


def _since_sunset(reason: str, *, today: date | None = None) -> str:
    """From the sunset on, a workflow that is not found is one that OpenAI has retired."""
    is_over = (today or timezone.now().date()) >= settings.SUNSET_DATE
    return WORKFLOW_RETIRED if is_over and reason == Reason.WORKFLOW_MISSING else reason


def _left_alone(breaker: Breaker) -> PublicError:
    code = Code(breaker.reason)
    waits = code is not Code.TENANT_MISCONFIGURED
    return PublicError(code, reason="breaker_open", retry_after=breaker.retry_after() if waits else None)
