"""Who still depends on a workflow of Agent Builder, how much, and what a switch to this platform would need.

A page of assistants costs the same few queries however many tenants there are.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import Count, Max, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from chatkit_client.errors import Reason
from dashboards.sunset_checks import Check, checks_of
from sessions_api.mint import WORKFLOW_RETIRED
from sessions_api.models import SessionRequest
from sessions_api.outcomes import GRANTED
from tenants.models import AgentVersion, Assistant, AssistantKey, Backend, TenantState, Verdict

_WEEK: Final = timedelta(days=7)
_GONE: Final = (Reason.WORKFLOW_MISSING.value, WORKFLOW_RETIRED)


@dataclass(frozen=True, slots=True)
class Countdown:
    """`days_left` is 0 on the day itself and from then on."""

    day: date
    days_left: int

    @property
    def is_over(self) -> bool:
        return self.days_left == 0

    @property
    def sentence(self) -> str:
        if self.is_over:
            return f"retired since {self.day:%Y-%m-%d}"
        return f"{self.days_left} day{'s' if self.days_left != 1 else ''} left, until {self.day:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Counts:
    """`ready` have a published version; `switched` came from a workflow."""

    hosted: int
    ready: int
    failing: int
    switched: int


@dataclass(frozen=True, slots=True)
class Stranded:
    """One assistant on the page. Sessions granted of 24 hours and 7 days; `error_at` of the last "workflow not found"."""

    assistant: Assistant
    draft: AgentVersion | None
    day: int
    week: int
    error_at: datetime | None
    is_missing: bool
    checks: tuple[Check, ...]

    @property
    def blockers(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.blocks)

    @property
    def to_try(self) -> AgentVersion | None:
        return self.draft or self.assistant.published_version

    @property
    def may_try(self) -> bool:
        return self.to_try is not None and self.assistant.tenant.state == TenantState.ACTIVE


def countdown(today: date | None = None) -> Countdown:
    left = settings.SUNSET_DATE - (today or timezone.now().date())
    return Countdown(settings.SUNSET_DATE, max(0, left.days))


def counts() -> Counts:
    hosted = Q(backend=Backend.HOSTED_WORKFLOW)
    missing = AssistantKey.objects.filter(verdict=Verdict.WORKFLOW_MISSING, key__retired_at__isnull=True)
    found = _living().aggregate(
        hosted=Count("pk", filter=hosted),
        ready=Count("pk", filter=hosted & Q(published_version__isnull=False)),
        failing=Count("pk", filter=hosted & Q(pk__in=missing.values("assistant"))),
        switched=Count("pk", filter=_came_from_a_workflow()),
    )
    return Counts(**found)


def hosted_assistants(search: str = "") -> QuerySet[Assistant]:
    return _searched(_living().filter(backend=Backend.HOSTED_WORKFLOW), search)


def switched_assistants(search: str = "") -> QuerySet[Assistant]:
    return _searched(_living().filter(_came_from_a_workflow()), search)


def stranded(assistant_ids: Sequence[uuid.UUID]) -> list[Stranded]:
    """Of these, in the order of tenants; five queries."""
    rows = _loaded(assistant_ids)
    traffic = _traffic({row.tenant_id for row in rows})
    drafts = {
        draft.assistant_id: draft
        for draft in AgentVersion.objects.filter(assistant__in=[row.pk for row in rows], number=None)
    }
    found = []
    for row in rows:
        seen = traffic.get((row.tenant_id, row.slug), {})
        found.append(
            Stranded(
                row,
                drafts.get(row.pk),
                seen.get("day") or 0,
                seen.get("week") or 0,
                seen.get("error_at"),
                any(pair.verdict == Verdict.WORKFLOW_MISSING for pair in row.ranked_keys.all()),
                tuple(checks_of(row, has_draft=row.pk in drafts)),
            )
        )
    return found


def _loaded(assistant_ids: Sequence[uuid.UUID]) -> list[Assistant]:
    pairs = AssistantKey.objects.filter(key__retired_at__isnull=True).select_related("key").defer("key__token")
    rows = Assistant.objects.filter(pk__in=list(assistant_ids)).select_related("tenant", "published_version")
    loaded = rows.defer("tenant__user_scope_token").prefetch_related(
        Prefetch("ranked_keys", queryset=pairs), "tenant__domains"
    )
    return list(loaded.order_by("tenant__name", "slug"))


def _traffic(tenant_ids: Iterable[uuid.UUID]) -> dict[tuple[uuid.UUID | None, str], Mapping[str, Any]]:
    now = timezone.now()
    granted = Q(outcome=GRANTED)
    rows = SessionRequest.objects.filter(
        granted | Q(reason__in=_GONE), tenant_id__in=list(tenant_ids), at__gte=now - _WEEK
    ).order_by()
    summed = rows.values("tenant_id", "assistant_slug").annotate(
        day=Sum("count", filter=granted & Q(at__gte=now - timedelta(days=1))),
        week=Sum("count", filter=granted),
        error_at=Max("at", filter=Q(reason__in=_GONE)),
    )
    return {(row["tenant_id"], row["assistant_slug"]): row for row in summed}


def _living() -> QuerySet[Assistant]:
    return Assistant.objects.exclude(tenant__state=TenantState.DELETING)


def _came_from_a_workflow() -> Q:
    return Q(backend=Backend.PLATFORM, previous_backend=Backend.HOSTED_WORKFLOW)


def _searched(rows: QuerySet[Assistant], search: str) -> QuerySet[Assistant]:
    if search:
        rows = rows.filter(
            Q(tenant__name__icontains=search) | Q(tenant__slug__icontains=search) | Q(name__icontains=search)
        )
    return rows.order_by("tenant__name", "slug")
