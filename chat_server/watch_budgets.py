"""Looks at what tenants have used of their budgets, and says once when half, four fifths or all of one is used."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, record
from chat_server.budget_usage import Spent, spent_of
from chat_server.models import BudgetNotice, BudgetUsage
from gateway.quotas import Period
from sessions_api.watch_quotas import THRESHOLDS
from tenants.audit_subjects import subject_of
from tenants.models import Tenant, TenantState

_TENANTS_AT_ONCE: Final = 500
# Then nobody asks for it any more: the page shows the periods that are under way.
_KEPT: Final = timedelta(days=70)
# Not looked at for so long: the tenant has no such budget any more.
_STALE: Final = timedelta(minutes=15)


def watch_budgets(*, now: datetime | None = None) -> int:
    """The number of notices that were written. May be repeated, and run twice at once: each notice is written once."""
    now = now or timezone.now()
    written = 0
    everybody = list(_tenants_with_budgets())
    for first in range(0, len(everybody), _TENANTS_AT_ONCE):
        tenants = everybody[first : first + _TENANTS_AT_ONCE]
        found = spent_of(tenants, at=now)
        _keep(found, now)
        written += _notify(tenants, found, now)
    BudgetUsage.objects.filter(starts_on__lt=(now - _KEPT).date()).delete()
    BudgetUsage.objects.filter(looked_at__lt=now - _STALE, budget__isnull=False).update(budget=None)
    return written


def _tenants_with_budgets() -> QuerySet[Tenant]:
    tenants = Tenant.objects.exclude(state=TenantState.DELETING).defer("user_scope_token")
    if settings.TOKENS_PER_DAY_TENANT:
        return tenants
    return tenants.filter(Q(tokens_per_day__isnull=False) | Q(cost_per_month__isnull=False))


def _keep(found: Iterable[Spent], now: datetime) -> None:
    BudgetUsage.objects.bulk_create(
        [
            BudgetUsage(
                tenant_id=spent.budget.tenant_id,
                name=spent.budget.reason,
                starts_on=spent.budget.starts_at.date(),
                used=spent.used,
                budget=spent.budget.most,
                runs_out_at=spent.runs_out_at,
                looked_at=now,
            )
            for spent in found
        ],
        update_conflicts=True,
        unique_fields=["tenant", "name", "starts_on"],
        update_fields=["used", "budget", "runs_out_at", "looked_at"],
    )


def _notify(tenants: Sequence[Tenant], found: Iterable[Spent], now: datetime) -> int:
    by_id = {tenant.pk: tenant for tenant in tenants}
    starts = {period.bounds(now)[0].date() for period in Period}
    said = set(
        BudgetNotice.objects.filter(tenant__in=by_id, starts_on__in=starts).values_list(
            "tenant_id", "name", "starts_on", "budget", "threshold"
        )
    )
    return sum(
        _say(by_id[spent.budget.tenant_id], spent, threshold, now)
        for spent in found
        for threshold in THRESHOLDS
        if spent.percent >= threshold and (*_of(spent), threshold) not in said
    )


def _of(spent: Spent) -> tuple[object, ...]:
    budget = spent.budget
    return budget.tenant_id, budget.reason, budget.starts_at.date(), budget.most


def _say(tenant: Tenant, spent: Spent, threshold: int, now: datetime) -> bool:
    budget = spent.budget
    try:
        with transaction.atomic():
            BudgetNotice.objects.create(
                tenant=tenant,
                name=budget.reason,
                starts_on=budget.starts_at.date(),
                threshold=threshold,
                budget=budget.most,
                used=spent.used,
                at=now,
            )
            record(
                Action.BUDGET_REACHED,
                actor=SYSTEM,
                subject=subject_of(tenant),
                changes={
                    "budget": budget.reason,
                    "starts_on": budget.starts_at.date(),
                    "threshold": threshold,
                    "used": spent.used,
                    "of": budget.most,
                    "measure": "microdollars" if budget.reason == "cost_month" else "tokens",
                    "on_trial": budget.is_on_trial,
                },
            )
    except IntegrityError:
        # Another worker has said it just now, or the tenant is gone.
        return False
    return True
