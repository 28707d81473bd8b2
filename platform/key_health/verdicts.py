"""From findings to verdicts: pure rules, no I/O.

A *finding* is what one check says; a *verdict* is what is believed of a key or a pair after the last few findings.

    finding                                     verdict
    healthy                                     healthy, at once
    key refused with code `invalid_api_key`     invalid_key, at once
    key refused without that code (bare 401),   2 of the last 3: that verdict; 1: degraded
      missing_scope, workflow_missing,
      model_missing, billing
    throttled                                   2 of the last 3: throttled; never condemns, nor lifts a condemnation
    degraded (our side or the account's region) degraded; never condemns, nor lifts a condemnation
    upstream_down, unchecked                    no change: an outage of OpenAI's or ours says nothing of a key

Only findings that prove something count among the last three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chatkit_client.errors import ChatKitError, Reason
from tenants.models.key import CONDEMNED, Verdict

WINDOW: Final = 3
NEEDED: Final = 2
REPROBE: Final = timedelta(seconds=60)
# An edit of a key's permissions takes OpenAI up to 15 minutes to apply.
PERMISSION_REPROBE: Final = timedelta(minutes=15)

_FINDINGS: Final[dict[Reason, Verdict]] = {
    Reason.INVALID_KEY: Verdict.INVALID_KEY,
    Reason.KEY_UNAUTHORISED: Verdict.INVALID_KEY,
    Reason.MISSING_SCOPE: Verdict.MISSING_SCOPE,
    Reason.WORKFLOW_MISSING: Verdict.WORKFLOW_MISSING,
    Reason.MODEL_MISSING: Verdict.MODEL_MISSING,
    Reason.BILLING: Verdict.BILLING,
    Reason.THROTTLED: Verdict.THROTTLED,
    # Not the key's fault, and no outage either: sessions fail until somebody acts.
    Reason.REQUEST_REFUSED: Verdict.DEGRADED,
    Reason.REGION_BLOCKED: Verdict.DEGRADED,
}
_SUSPECTS: Final = CONDEMNED | {Verdict.THROTTLED}
_NOTHING_KNOWN: Final = frozenset({Verdict.UNCHECKED, Verdict.UPSTREAM_DOWN})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says. `reason` is a `Reason` of the OpenAI edge or one of ours (tenants/verdict_words.py)."""

    verdict: Verdict
    reason: str = ""
    status: int | None = None
    code: str = ""
    request_id: str = ""
    latency_ms: int = 0

    @property
    def is_certain(self) -> bool:
        """Needs no second look: OpenAI says in so many words that it does not know the key."""
        return self.reason == Reason.INVALID_KEY


@dataclass(frozen=True, slots=True)
class Decision:
    """What to believe now, the findings to remember, and when to look again (None: after the usual interval)."""

    verdict: Verdict
    recent: tuple[str, ...]
    again_after: timedelta | None = None


def finding_of(error: ChatKitError) -> Finding:
    """What a failed call says; whatever is not listed is an outage or a stranger's answer, and condemns nothing."""
    return Finding(
        _FINDINGS.get(error.reason, Verdict.UPSTREAM_DOWN),
        reason=error.reason,
        status=error.status,
        code=error.code or "",
        request_id=error.request_id or "",
        latency_ms=error.latency_ms or 0,
    )


def decide(current: Verdict, recent: Sequence[str], finding: Finding) -> Decision:
    """The verdict after one more finding; `recent` holds the earlier ones that proved something, newest first."""
    found = finding.verdict
    if found == Verdict.HEALTHY or found in _SUSPECTS:
        recent = (found.value, *recent)[:WINDOW]
    recent = tuple(recent)
    if found == Verdict.HEALTHY or finding.is_certain:
        return Decision(found, recent)
    if found in _SUSPECTS:
        return _suspect(current, recent, found)
    if current in CONDEMNED or found == Verdict.UNCHECKED:
        return Decision(current, recent)
    if found == Verdict.DEGRADED:
        return Decision(Verdict.DEGRADED, recent)
    return Decision(found if current in _NOTHING_KNOWN else current, recent)


def _suspect(current: Verdict, recent: tuple[str, ...], found: Verdict) -> Decision:
    believed = recent.count(found.value) >= NEEDED
    if found == Verdict.THROTTLED and current in CONDEMNED:
        return Decision(current, recent)
    if believed or current == found:
        return Decision(found, recent)
    again_after = PERMISSION_REPROBE if found == Verdict.MISSING_SCOPE else REPROBE
    if current in CONDEMNED:
        return Decision(current, recent, again_after)
    if found == Verdict.THROTTLED:
        return Decision(found if current in _NOTHING_KNOWN else current, recent, again_after)
    return Decision(Verdict.DEGRADED, recent, again_after)
