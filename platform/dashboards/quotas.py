"""Who is near its quota, and what limits on trial would have refused."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, F, Max, Q, QuerySet
from django.utils import timezone

from chat_server.budget_usage import ChatTrial, chat_trials
from gateway.quotas import Period
from sessions_api.models import QuotaUsage
from sessions_api.usage import Trial, trials
from sessions_api.watch_quotas import THRESHOLDS
from tenants.models import Tenant, TenantState

_MOST_ROWS: Final = 50


def near_their_quota(*, tenant_id: uuid.UUID | None = None, now: datetime | None = None) -> Sequence[QuotaUsage]:
    """Uses of half a quota and more in the periods that are under way, the nearest to its end first."""
    now = now or timezone.now()
    running: list[QuotaUsage] = []
    for period in Period:
        rows = _under_way(period, now).filter(quota__lte=F("used") * 2)
        if tenant_id is not None:
            rows = rows.filter(tenant_id=tenant_id)
        running += rows.select_related("tenant")
    return sorted(running, key=lambda row: -row.percent)[:_MOST_ROWS]


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Of all tenants that have a quota for this period: the largest share that one of them has used (1 is all of it), and by
    percent how many have used so much or more."""

    period: Period
    highest: float
    tenants: Mapping[int, int]


def quota_use(*, now: datetime | None = None) -> list[QuotaUse]:
    """In the periods that are under way, as of the last look."""
    now = now or timezone.now()
    uses: list[QuotaUse] = []
    for period in Period:
        counted = {f"from_{each}": Count("pk", filter=Q(used__gte=F("quota") * each / 100.0)) for each in THRESHOLDS}
        found = (
            _under_way(period, now).filter(quota__gt=0).aggregate(highest=Max(F("used") * 1.0 / F("quota")), **counted)
        )
        uses.append(QuotaUse(period, found["highest"] or 0.0, {each: found[f"from_{each}"] for each in THRESHOLDS}))
    return uses


def _under_way(period: Period, now: datetime) -> QuerySet[QuotaUsage]:
    rows = QuotaUsage.objects.exclude(tenant__state=TenantState.DELETING)
    return rows.filter(period=period.value, starts_on=period.bounds(now)[0].date())


@dataclass(frozen=True, slots=True)
class NamedTrial:
    tenant: Tenant | None
    trial: Trial | ChatTrial


def limits_on_trial(*, tenant_id: uuid.UUID | None = None) -> list[NamedTrial]:
    """Of sessions, and of chats that the platform serves."""
    both: list[Trial | ChatTrial] = [*trials(tenant_id=tenant_id), *chat_trials(tenant_id=tenant_id)]
    found = sorted(both, key=lambda trial: -trial.last_week)[:_MOST_ROWS]
    named = Tenant.objects.only("name").in_bulk({trial.tenant_id for trial in found})
    return [NamedTrial(named.get(trial.tenant_id), trial) for trial in found]
