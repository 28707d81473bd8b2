"""Who is near its quota, and what limits on trial would have refused."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils import timezone

from chat_server.budget_usage import ChatTrial, chat_trials
from gateway.quotas import Period
from sessions_api.models import QuotaUsage
from sessions_api.usage import Trial, trials
from tenants.models import Tenant, TenantState

_MOST_ROWS: Final = 50


def near_their_quota(*, tenant_id: uuid.UUID | None = None, now: datetime | None = None) -> Sequence[QuotaUsage]:
    """Uses of half a quota and more in the periods that are under way, the nearest to its end first."""
    now = now or timezone.now()
    rows = QuotaUsage.objects.exclude(tenant__state=TenantState.DELETING).filter(quota__lte=F("used") * 2)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    running = [
        row
        for period in Period
        for row in rows.filter(period=period.value, starts_on=period.bounds(now)[0].date()).select_related("tenant")
    ]
    return sorted(running, key=lambda row: -row.percent)[:_MOST_ROWS]


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
