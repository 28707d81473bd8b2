"""Deletes rows of a ledger that are older than their tenant keeps them, in slices, each with its audit event.

The ledger is that of session requests, or another one (chat_server's runs) whose rows have `at` and `tenant_id` too.

The database lets exactly those rows go (audit/append_only.py). What the event keeps of a slice: whose rows, older than
what, how many, and the SHA-256 of their canonical JSON, one row a line, in the order of time and id. So somebody who has a
copy of them can prove that it is one.
"""

import hashlib
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q, QuerySet

from audit.actions import Action
from audit.prune import prune_permit
from audit.record import SYSTEM, Subject, canonical, record
from sessions_api.models import SessionRequest
from tenants.models import Tenant

SLICE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows of one tenant that are to go: all before `before`. The tenant may be gone, or never have been known."""

    tenant_id: uuid.UUID | None
    name: str
    before: datetime


Ledger = type[models.Model]


def prune_ledger(*, seconds: float, now: datetime | None = None, ledger: Ledger = SessionRequest) -> int:
    """Deletes what is overdue, beginning no slice after `seconds`; gives the number of rows."""
    ends = time.monotonic() + seconds
    pruned = 0
    for overdue in _overdue(ledger, now or datetime.now(UTC)):
        while time.monotonic() < ends and (count := _prune_slice(ledger, overdue)):
            pruned += count
    return pruned


def _overdue(ledger: Ledger, now: datetime) -> Iterator[Overdue]:
    """Days are UTC's and whole, so that a tenant's rows become overdue once a day and not with every look."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    site_days: int = settings.LEDGER_RETENTION_DAYS
    tenants = list(Tenant.objects.values_list("pk", "name", "retention_days"))
    for tenant_id, name, own_days in tenants:
        if days := own_days or site_days:
            yield Overdue(tenant_id, name, midnight - timedelta(days=days))
    if not site_days:
        return
    before = midnight - timedelta(days=site_days)
    strangers = ledger._default_manager.filter(at__lt=before).exclude(tenant_id__in=Tenant.objects.values("pk"))
    while (row := strangers.order_by("at").values_list("tenant_id").first()) is not None:
        yield Overdue(row[0], "", before)
        if _of(ledger, row[0]).filter(at__lt=before).exists():
            return  # out of time


def _of(ledger: Ledger, tenant_id: uuid.UUID | None) -> QuerySet[Any]:
    whose = Q(tenant_id__isnull=True) if tenant_id is None else Q(tenant_id=tenant_id)
    return ledger._default_manager.filter(whose)


def _prune_slice(ledger: Ledger, overdue: Overdue) -> int:
    old = _of(ledger, overdue.tenant_id).filter(at__lt=overdue.before)
    # Most looks find nothing, and on SQLite the transaction takes the one write lock.
    return _delete(ledger, overdue, old.order_by("at", "id")) if old.exists() else 0


@transaction.atomic
def _delete(ledger: Ledger, overdue: Overdue, old: QuerySet[Any]) -> int:
    # What another worker is pruning is passed over.
    rows = list(old.select_for_update(skip_locked=True)[:SLICE])
    if not rows:
        return 0
    with prune_permit(ledger._meta.db_table, tenant_id=overdue.tenant_id, before=overdue.before):
        count, _ = ledger._default_manager.filter(pk__in=[row.pk for row in rows]).delete()
    if count != len(rows):
        raise RuntimeError(f"{len(rows)} rows were to be pruned, and {count} were.")
    record(
        Action.LEDGER_PRUNED,
        actor=SYSTEM,
        subject=Subject(
            type="ledger" if ledger is SessionRequest else f"ledger of {ledger._meta.verbose_name}s",
            id=str(overdue.tenant_id or ""),
            label=overdue.name or "a deleted tenant",
            tenant_id=overdue.tenant_id,
            tenant_name=overdue.name,
        ),
        changes={"before": overdue.before, "rows": count, "sha256": digest(rows)},
    )
    return count


def digest(rows: Sequence[models.Model]) -> str:
    """SHA-256 over the rows' canonical JSON, each followed by a line feed."""
    hashed = hashlib.sha256()
    for row in rows:
        hashed.update(canonical({field.attname: _plain(row, field) for field in row._meta.concrete_fields}) + b"\n")
    return hashed.hexdigest()


def _plain(row: models.Model, field: "models.Field[Any, Any]") -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value
