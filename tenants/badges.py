"""States and verdicts as badges: a colour, a mark and a word, never a colour alone."""

from collections.abc import Iterable
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from tenants.models import Tenant, TenantState, Verdict
from tenants.models.key import CONDEMNED
from tenants.verdict_words import words_for

# The first is what an operator must see first.
BY_URGENCY: Final = (
    Verdict.INVALID_KEY,
    Verdict.MISSING_SCOPE,
    Verdict.BILLING,
    Verdict.WORKFLOW_MISSING,
    Verdict.MODEL_MISSING,
    Verdict.UPSTREAM_DOWN,
    Verdict.THROTTLED,
    Verdict.DEGRADED,
    Verdict.UNCHECKED,
    Verdict.HEALTHY,
)
_STATE_TONES: Final = {TenantState.ACTIVE: "ok", TenantState.SUSPENDED: "warn", TenantState.DELETING: "bad"}


def badge(label: str, tone: str) -> SafeString:
    """`tone` is one of ok, warn, bad, info, idle (console.css)."""
    return format_html('<span class="badge tone-{}">{}</span>', tone, label)


def tone_of(verdict: str) -> str:
    if verdict in CONDEMNED:
        return "bad"
    return {Verdict.HEALTHY: "ok", Verdict.UNCHECKED: "idle"}.get(Verdict(verdict), "warn")


def verdict_badge(verdict: str) -> SafeString:
    return badge(words_for(verdict).title, tone_of(verdict))


def state_badge(tenant: Tenant) -> SafeString:
    return badge(str(TenantState(tenant.state).label), _STATE_TONES[TenantState(tenant.state)])


def worst(verdicts: Iterable[str]) -> Verdict | None:
    found = set(verdicts)
    return next((verdict for verdict in BY_URGENCY if verdict in found), None)
