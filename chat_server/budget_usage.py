"""How much of their budgets tenants have used, from the ledger of runs, and when they will have used them up."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, F, Q, QuerySet, Sum

from chat_server.models import BudgetUsage, ChatRun
from gateway.budgets import Budget, Measure
from gateway.quotas import Period
from tenants.limit_names import CHAT_LIMITS, LimitName
from tenants.models import Tenant
from tenants.snapshot import chat_limits_of, limits_of_tenant

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_AMOUNTS: Final[dict[Measure, Any]] = {
    Measure.TOKENS: F("input_tokens") + F("output_tokens"),
    Measure.COST: F("cost_microdollars"),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What is used of one budget at one time; `last_day` is what was used in the 24 hours before. Tokens or microdollars."""

    budget: Budget
    used: int
    last_day: int
    at: datetime

    @property
    def percent(self) -> int:
        return 100 * self.used // self.budget.most

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.budget.most

    @property
    def title(self) -> str:
        return LimitName(self.budget.reason).label

    @property
    def used_in_words(self) -> str:
        return amount_in_words(self.budget.measure, self.used)

    @property
    def most_in_words(self) -> str:
        return amount_in_words(self.budget.measure, self.budget.most)

    @property
    def runs_out_at(self) -> datetime | None:
        """At the pace of the last 24 hours; None where the period ends first, or where it is used up already."""
        if self.is_used_up or not self.last_day:
            return None
        days = (self.budget.most - self.used) / self.last_day
        # Far away is never: a date beyond the calendar would be an error.
        if days > 62:
            return None
        at = self.at + days * _DAY
        return at if at < self.budget.ends_at else None


def amount_in_words(measure: Measure | str, amount: int) -> str:
    return dollars(amount) if measure == Measure.COST else f"{amount:,} tokens"


def dollars(microdollars: int | None) -> str:
    """Small sums keep their last digits; “no price” where the table has none."""
    if microdollars is None:
        return "no price"
    digits = 4 if 0 < microdollars < 1_000_000 else 2
    return f"${Decimal(microdollars) / 1_000_000:,.{digits}f}"


def budgets_of_tenant(tenant: Tenant, *, at: datetime) -> Iterator[Budget]:
    """The site's defaults filled in, as `tenants.snapshot` does for runs. Those of visitors are too many to look at."""
    limits, on_trial = chat_limits_of(tenant), limits_of_tenant(tenant).log_only
    for name, measure, period, most in (
        (LimitName.TOKENS_DAY, Measure.TOKENS, Period.DAY, limits.tokens_per_day),
        (LimitName.COST_MONTH, Measure.COST, Period.MONTH, limits.cost_per_month),
    ):
        if most:
            yield Budget.of(
                tenant.pk, measure, period, most, at=at, reason=name.value, is_on_trial=name.value in on_trial
            )


def spent_of(tenants: Iterable[Tenant], *, at: datetime) -> list[Spent]:
    """Of all their budgets that run at this time; two queries, whatever the number of tenants."""
    budgets = [budget for tenant in tenants for budget in budgets_of_tenant(tenant, at=at)]
    if not budgets:
        return []
    of = {budget.tenant_id for budget in budgets}
    day, month = (period.bounds(at)[0] for period in Period)
    sums = {
        f"{measure}_{span}": Sum(amount, filter=Q(at__gte=since), default=0)
        for measure, amount in _AMOUNTS.items()
        for span, since in (("period", day if measure is Measure.TOKENS else month), ("last_day", at - _DAY))
    }
    rows = ChatRun.objects.filter(tenant_id__in=of, at__gte=min(month, at - _DAY)).order_by().values("tenant_id")
    grouped: Any = rows.annotate(**sums)
    counted: dict[uuid.UUID, dict[str, int]] = {row["tenant_id"]: row for row in grouped}
    seen = {
        (row.tenant_id, row.name, row.starts_on): row.used
        for row in BudgetUsage.objects.filter(tenant_id__in=of, starts_on__in=[day.date(), month.date()])
    }
    found = []
    for budget in budgets:
        row = counted.get(budget.tenant_id, {})
        before = seen.get((budget.tenant_id, budget.reason, budget.starts_at.date()), 0)
        used = max(row.get(f"{budget.measure}_period", 0), before)
        found.append(Spent(budget, used, row.get(f"{budget.measure}_last_day", 0), at))
    return found


@dataclass(frozen=True, slots=True)
class ChatTrial:
    """How many messages that came through a limit on trial would have been refused."""

    tenant_id: uuid.UUID
    limit: LimitName
    last_day: int
    last_week: int


def chat_trials(*, tenant_id: uuid.UUID | None = None, at: datetime | None = None) -> list[ChatTrial]:
    """Of one tenant or of all; by an index that has the runs of limits on trial alone."""
    at = at or datetime.now(UTC)
    rows: QuerySet[ChatRun] = ChatRun.objects.filter(at__gte=at - _WEEK).exclude(would_refuse="")
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    weeks: Counter[tuple[uuid.UUID, str]] = Counter()
    days: Counter[tuple[uuid.UUID, str]] = Counter()
    grouped = rows.order_by().values_list("tenant_id", "would_refuse")
    for tenant, names, week, day in grouped.annotate(week=Count("pk"), day=Count("pk", filter=Q(at__gte=at - _DAY))):
        for name in names.split(","):
            weeks[tenant, name] += week
            days[tenant, name] += day
    found = [
        ChatTrial(tenant, LimitName(name), days[tenant, name], week)
        for (tenant, name), week in weeks.items()
        if name in CHAT_LIMITS
    ]
    return sorted(found, key=lambda trial: (-trial.last_week, str(trial.tenant_id), trial.limit))
