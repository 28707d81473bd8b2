"""What chats that the platform serves have used, and what it cost; the page and the API show the same figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from chat_server.budget_usage import amount_in_words, dollars
from chat_server.models import BudgetUsage, ChatRun
from chat_server.run_figures import (
    FirstWords,
    RunError,
    RunSums,
    errors_of,
    first_words_of,
    runs_since,
    spent_since,
    sums_of,
    top_tenants,
)
from dashboards.spans import Span
from gateway.budgets import Measure
from gateway.quotas import Period
from tenants.limit_names import LimitName
from tenants.models import Assistant, Backend, Tenant, TenantState

_MOST_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class TenantSpent:
    """`tenant` is None where it is deleted; `cost` in microdollars, None where no run had a price."""

    tenant: Tenant | None
    tenant_id: UUID | None
    runs: int
    tokens: int
    cost: int | None

    @property
    def cost_in_words(self) -> str:
        return dollars(self.cost)


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Of one span, of today and of this month (UTC), for one tenant or for all."""

    span: Span
    totals: RunSums
    today: RunSums
    month: RunSums
    first_words: FirstWords
    errors: tuple[RunError, ...]
    top: tuple[TenantSpent, ...]

    @property
    def periods(self) -> list[tuple[str, RunSums, str]]:
        each = ((self.span.label, self.totals), ("today", self.today), ("this month", self.month))
        return [(label, sums, dollars(sums.cost)) for label, sums in each]


def chat_usage(*, span: Span, tenant_id: UUID | None = None, now: datetime | None = None) -> ChatUsage:
    now = now or timezone.now()
    rows = runs_since(span.buckets(now)[0], tenant_id=tenant_id)
    top = top_tenants(rows)
    named = Tenant.objects.only("name", "slug").in_bulk([each.tenant_id for each in top if each.tenant_id])
    return ChatUsage(
        span,
        sums_of(rows),
        spent_since(Period.DAY.bounds(now)[0], tenant_id=tenant_id),
        spent_since(Period.MONTH.bounds(now)[0], tenant_id=tenant_id),
        first_words_of(rows),
        errors_of(rows),
        tuple(
            TenantSpent(
                None if each.tenant_id is None else named.get(each.tenant_id),
                each.tenant_id,
                each.runs,
                each.tokens,
                each.cost,
            )
            for each in top
        ),
    )


def is_chat_served() -> bool:
    """Whether there is anything to show of such chats."""
    return Assistant.objects.filter(backend=Backend.PLATFORM).exists() or ChatRun.objects.exists()


@dataclass(frozen=True, slots=True)
class NearBudget:
    usage: BudgetUsage

    @property
    def in_words(self) -> str:
        measure = Measure.COST if self.usage.name == LimitName.COST_MONTH else Measure.TOKENS
        return f"{amount_in_words(measure, self.usage.used)} of {amount_in_words(measure, self.usage.budget or 0)}"


def near_their_budget(*, tenant_id: UUID | None = None, now: datetime | None = None) -> list[NearBudget]:
    """Uses of half a budget and more in the periods that are under way, the nearest to its end first."""
    now = now or timezone.now()
    rows = BudgetUsage.objects.exclude(tenant__state=TenantState.DELETING).filter(budget__lte=F("used") * 2)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    running = [
        row
        for name, period in ((LimitName.TOKENS_DAY, Period.DAY), (LimitName.COST_MONTH, Period.MONTH))
        for row in rows.filter(name=name, starts_on=period.bounds(now)[0].date()).select_related("tenant")
    ]
    return [NearBudget(row) for row in sorted(running, key=lambda row: -row.percent)[:_MOST_ROWS]]
