"""How much of their quotas tenants have used, from the ledger's granted rows; and what limits on trial would have refused."""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Max, Q, QuerySet

from gateway.quotas import Period, Quota
from sessions_api.models import QuotaUsage, SessionRequest
from sessions_api.outcomes import GRANTED
from tenants.limit_names import LimitName
from tenants.models import Tenant

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)


class LedgerUsage:
    """What counters of quotas are made from, when there are none (gateway/quota_counters.py)."""

    def used(self, quota: Quota) -> int:
        """Two queries by index, of which the first reads at most as many entries as the quota has sessions."""
        rows = SessionRequest.objects.filter(
            tenant_id=quota.tenant_id, outcome=GRANTED, at__gte=quota.starts_at, at__lt=quota.ends_at
        )
        counted = rows.order_by()[: quota.most].count()
        seen = QuotaUsage.objects.filter(
            tenant_id=quota.tenant_id, period=quota.period.value, starts_on=quota.starts_at.date()
        ).aggregate(used=Max("used"))
        return max(counted, seen["used"] or 0)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is used of one quota at one time; `last_day` counts the sessions of the 24 hours before."""

    quota: Quota
    used: int
    last_day: int
    at: datetime

    @property
    def percent(self) -> int:
        return 100 * self.used // self.quota.most

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.quota.most

    @property
    def runs_out_at(self) -> datetime | None:
        """At the pace of the last 24 hours; None where the period ends first, or where it is used up already."""
        if self.is_used_up or not self.last_day:
            return None
        days = (self.quota.most - self.used) / self.last_day
        # Far away is never: a date beyond the calendar would be an error.
        if days > 62:
            return None
        at = self.at + days * _DAY
        return at if at < self.quota.ends_at else None


def quotas_of_tenant(tenant: Tenant, *, at: datetime) -> Iterator[Quota]:
    """The site's defaults filled in, as `tenants.snapshot` does for sessions."""
    sizes = (
        (Period.DAY, tenant.sessions_per_day or settings.SESSIONS_PER_DAY_TENANT),
        (Period.MONTH, tenant.sessions_per_month or settings.SESSIONS_PER_MONTH_TENANT),
    )
    on_trial = {*tenant.log_only_limits, *settings.LIMITS_LOG_ONLY}
    for period, most in sizes:
        if most:
            yield Quota.of(tenant.pk, period, most, at=at, is_on_trial=f"quota_{period}" in on_trial)


def usage_of(tenants: Iterable[Tenant], *, at: datetime) -> list[Usage]:
    """Of all their quotas that run at this time; two queries, whatever the number of tenants."""
    quotas = [quota for tenant in tenants for quota in quotas_of_tenant(tenant, at=at)]
    if not quotas:
        return []
    of = {quota.tenant_id for quota in quotas}
    day, month = (period.bounds(at)[0] for period in Period)
    since = min(month, at - _DAY)
    counted: dict[uuid.UUID, dict[str, int]] = {
        row["tenant_id"]: {name: row[name] for name in ("day", "month", "last_day")}
        for row in SessionRequest.objects.filter(tenant_id__in=of, outcome=GRANTED, at__gte=since)
        .order_by()
        .values("tenant_id")
        .annotate(
            day=Count("pk", filter=Q(at__gte=day)),
            month=Count("pk", filter=Q(at__gte=month)),
            last_day=Count("pk", filter=Q(at__gte=at - _DAY)),
        )
    }
    seen = {
        (row.tenant_id, row.period, row.starts_on): row.used
        for row in QuotaUsage.objects.filter(tenant_id__in=of, starts_on__in=[day.date(), month.date()])
    }
    usages = []
    for quota in quotas:
        row = counted.get(quota.tenant_id, {})
        before = seen.get((quota.tenant_id, quota.period.value, quota.starts_at.date()), 0)
        used = max(row.get(quota.period.value, 0), before)
        usages.append(Usage(quota, used, row.get("last_day", 0), at))
    return usages


@dataclass(frozen=True, slots=True)
class Trial:
    """How many requests that came through a limit on trial would have refused."""

    tenant_id: uuid.UUID
    limit: LimitName
    last_day: int
    last_week: int


def trials(*, tenant_id: uuid.UUID | None = None, at: datetime | None = None) -> list[Trial]:
    """Of one tenant or of all; by an index that has the rows of limits on trial alone."""
    at = at or datetime.now(UTC)
    rows: QuerySet[SessionRequest] = SessionRequest.objects.filter(at__gte=at - _WEEK).exclude(would_refuse="")
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    weeks: Counter[tuple[uuid.UUID, str]] = Counter()
    days: Counter[tuple[uuid.UUID, str]] = Counter()
    grouped = rows.order_by().values_list("tenant_id", "would_refuse")
    for tenant, names, week, day in grouped.annotate(week=Count("pk"), day=Count("pk", filter=Q(at__gte=at - _DAY))):
        for name in names.split(","):
            weeks[tenant, name] += week
            days[tenant, name] += day
    known = set(LimitName.values)
    found = [
        Trial(tenant, LimitName(name), days[tenant, name], week)
        for (tenant, name), week in weeks.items()
        if name in known
    ]
    return sorted(found, key=lambda trial: (-trial.last_week, str(trial.tenant_id), trial.limit))
