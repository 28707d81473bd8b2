"""Looks at what tenants have used of their quotas, and says once when half, four fifths or all of one is used."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, record
from gateway.quotas import Period
from sessions_api.models import QuotaNotice, QuotaUsage
from sessions_api.usage import Usage, usage_of
from tenants.audit_subjects import subject_of
from tenants.models import Tenant, TenantState

THRESHOLDS: Final = (50, 80, 100)
_TENANTS_AT_ONCE: Final = 500
# Then nobody asks for it any more: the page shows the periods that are under way.
_KEPT: Final = timedelta(days=70)
# Not looked at for so long: the tenant has no such quota any more.
_STALE: Final = timedelta(minutes=15)


def watch_quotas(*, now: datetime | None = None) -> int:
    """The number of notices that were written. May be repeated, and run twice at once: each notice is written once."""
    now = now or timezone.now()
    written = 0
    everybody = list(_tenants_with_quotas())
    for first in range(0, len(everybody), _TENANTS_AT_ONCE):
        tenants = everybody[first : first + _TENANTS_AT_ONCE]
        usages = usage_of(tenants, at=now)
        _keep(usages, now)
        written += _notify(tenants, usages, now)
    _forget(now)
    return written


def _tenants_with_quotas() -> QuerySet[Tenant]:
    tenants = Tenant.objects.exclude(state=TenantState.DELETING).defer("user_scope_token")
    if settings.SESSIONS_PER_DAY_TENANT or settings.SESSIONS_PER_MONTH_TENANT:
        return tenants
    return tenants.filter(Q(sessions_per_day__isnull=False) | Q(sessions_per_month__isnull=False))


def _keep(usages: Iterable[Usage], now: datetime) -> None:
    QuotaUsage.objects.bulk_create(
        [
            QuotaUsage(
                tenant_id=usage.quota.tenant_id,
                period=usage.quota.period.value,
                starts_on=usage.quota.starts_at.date(),
                used=usage.used,
                quota=usage.quota.most,
                runs_out_at=usage.runs_out_at,
                looked_at=now,
            )
            for usage in usages
        ],
        update_conflicts=True,
        unique_fields=["tenant", "period", "starts_on"],
        update_fields=["used", "quota", "runs_out_at", "looked_at"],
    )


def _notify(tenants: Sequence[Tenant], usages: Iterable[Usage], now: datetime) -> int:
    by_id = {tenant.pk: tenant for tenant in tenants}
    starts = {period.bounds(now)[0].date() for period in Period}
    said = set(
        QuotaNotice.objects.filter(tenant__in=by_id, starts_on__in=starts).values_list(
            "tenant_id", "period", "starts_on", "quota", "threshold"
        )
    )
    return sum(
        _say(by_id[usage.quota.tenant_id], usage, threshold, now)
        for usage in usages
        for threshold in THRESHOLDS
        if usage.percent >= threshold and (*_of(usage), threshold) not in said
    )


def _of(usage: Usage) -> tuple[object, ...]:
    quota = usage.quota
    return quota.tenant_id, quota.period.value, quota.starts_at.date(), quota.most


def _say(tenant: Tenant, usage: Usage, threshold: int, now: datetime) -> bool:
    quota = usage.quota
    try:
        with transaction.atomic():
            QuotaNotice.objects.create(
                tenant=tenant,
                period=quota.period.value,
                starts_on=quota.starts_at.date(),
                threshold=threshold,
                quota=quota.most,
                used=usage.used,
                at=now,
            )
            record(
                Action.QUOTA_REACHED,
                actor=SYSTEM,
                subject=subject_of(tenant),
                changes={
                    "period": quota.period.value,
                    "starts_on": quota.starts_at.date(),
                    "threshold": threshold,
                    "used": usage.used,
                    "quota": quota.most,
                    "on_trial": quota.is_on_trial,
                },
            )
    except IntegrityError:
        # Another worker has said it just now, or the tenant is gone.
        return False
    return True


def _forget(now: datetime) -> None:
    """A quota that was taken away is near its end for nobody; what is long past is looked at by nobody."""
    QuotaUsage.objects.filter(starts_on__lt=(now - _KEPT).date()).delete()
    QuotaUsage.objects.filter(looked_at__lt=now - _STALE, quota__isnull=False).update(quota=None)
