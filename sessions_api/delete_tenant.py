"""Takes a tenant apart, in this order: live sessions cancelled, visitors' threads erased at OpenAI, conversations that the
platform itself served deleted with their files, secrets destroyed, rows deleted. Each step may be repeated and resumed; nothing
is lost when a worker dies in between.

The steps before the last two need the tenant's keys, hence the order. A key that OpenAI refuses three times over is given
up on, and so is anything that does not answer for a day; the audit event names such keys, because their threads must be
deleted by hand.
"""

import time
from functools import partial
from typing import Final

from django.db import transaction
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, record
from sessions_api.erase import Whose
from sessions_api.erase_keys import WAIT, claim_due, erase_with_next_key, mine, put_off
from sessions_api.models import LiveSession, TenantDeletion, VisitorErasure
from sessions_api.revoke import uncancelled
from sessions_api.served_here import delete_served_here
from sessions_api.signals import delete_of_tenant
from tenants.audit_subjects import subject_of
from tenants.models import ApiKey, IdentityKey, ReplacedKey, Tenant, TenantState

SLICE_SECONDS: Final = 10.0


def plan_deletion(tenant: Tenant) -> TenantDeletion:
    """Call it in the transaction that starts the deletion; safe to repeat."""
    now = timezone.now()
    deletion, _ = TenantDeletion.objects.get_or_create(tenant=tenant, defaults={"started_at": now, "due_at": now})
    return deletion


def advance_deletions() -> int:
    """Takes up what is due, for one slice of time; gives the number of tenants that are gone."""
    for tenant in Tenant.objects.filter(state=TenantState.DELETING, deletion=None):
        plan_deletion(tenant)
    ends = time.monotonic() + SLICE_SECONDS
    gone = 0
    while time.monotonic() < ends:
        deletion = claim_due(TenantDeletion.objects.select_related("tenant"))
        if deletion is None:
            break
        gone += _advance(deletion, seconds=ends - time.monotonic())
    return gone


def _advance(deletion: TenantDeletion, *, seconds: float) -> bool:
    """One step; True when the tenant is gone."""
    tenant = deletion.tenant
    # Erasures that were promised to single visitors come to their end, certificate included, while the keys are there.
    promised = VisitorErasure.objects.filter(tenant_id=tenant.pk, finished_at=None)
    if uncancelled().filter(tenant=tenant).exists() or promised.exists():
        put_off(deletion, WAIT)
        return False
    ends = time.monotonic() + seconds
    if not erase_with_next_key(deletion, tenant, whose=Whose(prefix=f"v1.{tenant.public_id}."), seconds=seconds):
        return False
    if not delete_served_here(deletion, partial(delete_of_tenant, tenant.pk), until=ends):
        return False
    _destroy_secrets(tenant)
    _delete_rows(deletion)
    return True


@transaction.atomic
def _destroy_secrets(tenant: Tenant) -> None:
    """A step of its own: whatever becomes of the rows and of backups of them, the wrapped data keys are gone from here."""
    ApiKey.objects.filter(tenant=tenant).update(token="")
    ReplacedKey.objects.filter(key__tenant=tenant).delete()
    IdentityKey.objects.filter(tenant=tenant).update(token="")
    Tenant.objects.filter(pk=tenant.pk).update(user_scope_token="")


@transaction.atomic
def _delete_rows(deletion: TenantDeletion) -> None:
    tenant = deletion.tenant
    if not mine(deletion).exists():
        return
    subject = subject_of(tenant)
    cancelled = LiveSession.objects.filter(tenant=tenant, cancelled_at__isnull=False).count()
    _, rows = tenant.delete()
    record(
        Action.TENANT_DELETED,
        actor=SYSTEM,
        subject=subject,
        changes={
            "sessions_cancelled": cancelled,
            "threads_deleted": deletion.threads_deleted,
            "served_here": deletion.served_here,
            "keys_unreachable": deletion.keys_unreachable,
            "rows": {name.rpartition(".")[2].lower(): count for name, count in rows.items()},
        },
    )
