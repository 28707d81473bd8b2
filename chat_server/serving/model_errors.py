"""What a failed run is called in the ledger, and what the visitor reads of it.

Visitors read words of ours, or the tenant's own for an unavailable chat; never upstream text, never which part of the
set-up is wrong. Operators read code and reason in the ledger of runs.
"""

from dataclasses import dataclass
from typing import Final

from agents.exceptions import MaxTurnsExceeded, ModelBehaviorError
from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError

from chatkit_client.errors import (
    BillingBlocked,
    ChatKitError,
    KeyRejected,
    ModelMissing,
    RegionBlocked,
    RequestRefused,
    Throttled,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from gateway.errors import Code
from tenants.snapshot import TenantSnapshot

MESSAGE_TOO_LONG: Final = "message_too_long"
TOO_MANY_TURNS: Final = "too_many_turns"
CONVERSATION_TOO_LONG: Final = "context_length_exceeded"
NO_KEY: Final = "no_key"
BREAKER_OPEN: Final = "breaker_open"

_UNAVAILABLE: Final = "The assistant is not available at the moment."
_TRY_AGAIN: Final = "The assistant could not answer just now. Please try again."
_BUSY: Final = "The assistant has too much to do at the moment. Please try again in a little while."

_CODES: Final[dict[type[ChatKitError], Code]] = {
    KeyRejected: Code.TENANT_MISCONFIGURED,
    ModelMissing: Code.TENANT_MISCONFIGURED,
    BillingBlocked: Code.TENANT_MISCONFIGURED,
    RegionBlocked: Code.TENANT_MISCONFIGURED,
    RequestRefused: Code.UPSTREAM_INVALID,
    Throttled: Code.UPSTREAM_THROTTLED,
    UpstreamUnavailable: Code.UPSTREAM_UNAVAILABLE,
    UpstreamInvalid: Code.UPSTREAM_INVALID,
}
# Another key may fare better with these.
KEY_FAULTS: Final = (KeyRejected, ModelMissing, BillingBlocked, Throttled)


@dataclass(slots=True)
class RunFailed(Exception):
    """A run that came to nothing: `outcome` and `reason` for the ledger; without `words` the visitor reads the tenant's own."""

    outcome: str
    reason: str = ""
    words: str = ""
    may_retry: bool = False

    def told(self, tenant: TenantSnapshot) -> CustomStreamError:
        """As the visitor's stream carries it."""
        return CustomStreamError(self.words or tenant.fallback_text or _UNAVAILABLE, allow_retry=self.may_retry)


def code_of(error: ChatKitError) -> Code:
    return _CODES.get(type(error), Code.UPSTREAM_INVALID)


def failure_of(error: Exception) -> RunFailed:
    """What any failure of a run means, a defect of ours included."""
    if isinstance(error, RunFailed):
        return error
    if isinstance(error, ChatKitError):
        return _upstream_failure(error)
    if isinstance(error, MaxTurnsExceeded):
        return too_many_turns()
    if isinstance(error, ModelBehaviorError):
        return RunFailed(Code.UPSTREAM_INVALID, "model_behaviour", _TRY_AGAIN, may_retry=True)
    if isinstance(error, CustomStreamError):
        # The store's: it has words of its own.
        reason = getattr(error, "reason", "")
        return RunFailed(Code.PLATFORM_UNAVAILABLE, reason, error.message, may_retry=error.allow_retry)
    if isinstance(error, NotFoundError):
        return RunFailed(Code.NOT_FOUND, "deleted_meanwhile", "This conversation is no longer there.")
    return RunFailed(Code.INTERNAL_ERROR, type(error).__name__, _TRY_AGAIN, may_retry=True)


def _upstream_failure(error: ChatKitError) -> RunFailed:
    code = code_of(error)
    reason = error.reason.value
    if error.code == CONVERSATION_TOO_LONG:
        words = "This conversation has become too long for the assistant. Please begin a new one."
        return RunFailed(code, CONVERSATION_TOO_LONG, words)
    if isinstance(error, Throttled):
        return RunFailed(code, reason, _BUSY, may_retry=True)
    if error.permanent:
        return RunFailed(code, reason)
    return RunFailed(code, reason, _TRY_AGAIN, may_retry=True)


def no_key(problem: str) -> RunFailed:
    """No key of the assistant may be used; `problem` is the verdict on the last one."""
    return RunFailed(Code.TENANT_MISCONFIGURED, problem or NO_KEY)


def left_alone(code: Code) -> RunFailed:
    """What was asked failed again and again, so it is not asked for a while."""
    if code is Code.TENANT_MISCONFIGURED:
        return RunFailed(code, BREAKER_OPEN)
    return RunFailed(code, BREAKER_OPEN, _BUSY, may_retry=True)


def message_too_long(length: int, *, most: int) -> RunFailed:
    words = f"Your message is too long: {length:,} characters of at most {most:,}. Please send it shorter, or in parts."
    return RunFailed(MESSAGE_TOO_LONG, "max_input_chars", words)


def too_many_turns() -> RunFailed:
    words = (
        "The assistant did not come to an answer in the steps that it may take. Please try again, or ask differently."
    )
    return RunFailed(TOO_MANY_TURNS, "max_turns", words, may_retry=True)
