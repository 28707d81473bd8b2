"""Mints a session at OpenAI with the first of an assistant's keys that works.

Keys are tried in their order. One that is condemned gets no traffic, and one that fails again and again is left alone
for a while: that is a tenant's circuit breaker, kept per key, so that a bad first key never shuts out a good second. A
fault of the key (refused, no budget, workflow not found, throttled) hands over to the next key. Any other would meet
every key, so it ends the attempt; only an upstream that did not answer counts against the host as well.

What passes by itself is tried once more, on a fresh connection: no connection at all, or a 429 or 503 that asks for two
seconds at most. Once for a visitor, within the same deadline, and for a tenth of the traffic at most (gateway.retry_budget).
Should the first call have made a session all the same, nobody got its secret: it expires unused.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
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
from gateway.retry_budget import RetryBudget
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
# Who asks to be left alone for longer is not asked again on a visitor's time.
_MOST_RETRY_AFTER: Final = 2
# Spread out, or all who failed together come again together.
_JITTER_SECONDS: Final = (0.05, 0.25)


@dataclass(frozen=True, slots=True)
class Minted:
    created: Created
    key: KeySnapshot
    credentials: Credentials


async def mint(
    *,
    client: ChatKitClient,
    breakers: Breakers,
    retries: RetryBudget,
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
    second_try = _SecondTry(retries, ends_at=ends_at)
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
        create = partial(
            client.create_session,
            upstream.base_url,
            key.credentials,
            user=user,
            settings=session_settings,
            state_variables=state_variables,
        )
        try:
            created = await second_try.run(
                create,
                attempt,
                # One probe is one call; and where another key may serve, nobody waits for a throttled one.
                is_allowed=not passage.is_probe and not host_passage.is_probe,
                is_last_key=key is assistant.keys[-1],
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


class _SecondTry:
    """The one retry that a mint may make, whichever of its keys needs it."""

    def __init__(self, budget: RetryBudget, *, ends_at: float) -> None:
        self._budget = budget
        self._ends_at = ends_at
        self._is_spent = False

    async def run(
        self, create: Callable[..., Awaitable[Created]], attempt: Attempt, *, is_allowed: bool, is_last_key: bool
    ) -> Created:
        """Raises the error of the last call that was made."""
        self._budget.called()
        try:
            return await create(deadline=self._ends_at - time.monotonic())
        except ChatKitError as error:
            pause = _pause_after(error, is_last_key=is_last_key)
            if not is_allowed or pause is None or not self._may_take(pause):
                raise
            attempt.failed_upstream(error)
        await asyncio.sleep(pause)
        return await create(deadline=self._ends_at - time.monotonic(), fresh=True)

    def _may_take(self, pause: float) -> bool:
        has_time = self._ends_at - time.monotonic() - pause >= _MIN_SECONDS
        if self._is_spent or not has_time or not self._budget.take():
            return False
        self._is_spent = True
        return True


def _pause_after(error: ChatKitError, *, is_last_key: bool) -> float | None:
    """Seconds before the same call may succeed; None where it is not worth trying."""
    jitter = random.uniform(*_JITTER_SECONDS)  # noqa: S311 (nothing secret depends on it)
    if error.reason is Reason.CONNECT_FAILED:
        return jitter
    asks_for = error.retry_after
    if asks_for is None or asks_for > _MOST_RETRY_AFTER:
        return None
    if error.status == 503 or (isinstance(error, Throttled) and is_last_key):
        return asks_for + jitter
    return None


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
