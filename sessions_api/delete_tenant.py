"""Takes a tenant apart, in this order: live sessions cancelled, visitors' threads erased at OpenAI, secrets destroyed,
rows deleted. Each step may be repeated and resumed; nothing is lost when a worker dies in between.

The steps before the last two need the tenant's keys, hence the order. A key that OpenAI refuses three times over is given
up on, and so is anything that does not answer for a day; the audit event names such keys, because their threads must be
deleted by hand.
"""

import logging
import time
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, record
from chatkit_client.errors import ChatKitError
from sessions_api.claims import claim_rows
from sessions_api.erase import Erased, erase_threads
from sessions_api.models import LiveSession, TenantDeletion
from tenants.audit_subjects import subject_of
from tenants.credentials import KeyUnusable, credentials_of
from tenants.models import ApiKey, IdentityKey, ReplacedKey, Tenant, TenantState
from tenants.upstreams import upstream

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
SLICE_SECONDS: Final = 10.0
# How soon to look whether the live sessions are gone.
_WAIT: Final = timedelta(seconds=3)
_PAUSE_REFUSED: Final = timedelta(seconds=60)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
_REFUSALS: Final = 3
_PATIENCE: Final = timedelta(days=1)


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
        due = TenantDeletion.objects.filter(due_at__lte=timezone.now()).select_related("tenant").order_by("due_at")
        claimed = claim_rows(due, limit=1, lease=LEASE)
        if not claimed:
            break
        gone += _advance(claimed[0], seconds=ends - time.monotonic())
    return gone


def _advance(deletion: TenantDeletion, *, seconds: float) -> bool:
    """One step; True when the tenant is gone."""
    sessions = LiveSession.objects.filter(tenant=deletion.tenant_id)
    if sessions.filter(cancelled_at=None, expires_at__gt=timezone.now()).exists():
        _put_off(deletion, _WAIT)
        return False
    key = deletion.tenant.keys.exclude(pk__in=deletion.keys_done).order_by("created_at").first()
    if key is not None:
        _erase_with(deletion, key, seconds=seconds)
        return False
    _destroy_secrets(deletion.tenant)
    _delete_rows(deletion)
    return True


def _erase_with(deletion: TenantDeletion, key: ApiKey, *, seconds: float) -> None:
    tenant = deletion.tenant
    try:
        erased = erase_threads(
            base_url=upstream(tenant.upstream).base_url,
            credentials=credentials_of(key),
            prefix=f"v1.{tenant.public_id}.",
            cursor=deletion.cursor,
            seconds=seconds,
        )
    except KeyUnusable as error:
        logger.warning("threads can't be erased: %s", error.reason, extra={"key_id": str(key.pk)})
        _give_up_on(deletion, key)
        return
    except KeyError:
        logger.warning("threads can't be erased: upstream_not_allowed", extra={"key_id": str(key.pk)})
        _give_up_on(deletion, key)
        return
    deletion.threads_deleted += erased.deleted
    deletion.cursor = erased.cursor
    if erased.finished:
        _finish_key(deletion, key)
    elif erased.error is not None:
        _retry_or_give_up(deletion, key, erased, erased.error)
    else:
        deletion.failures = 0
        _put_off(deletion, timedelta(0))


def _retry_or_give_up(deletion: TenantDeletion, key: ApiKey, erased: Erased, error: ChatKitError) -> None:
    logger.warning("threads are not erased yet: %s", error, extra={"key_id": str(key.pk)})
    deletion.failures = 1 if erased.deleted else deletion.failures + 1
    # The thread at which to go on may have been deleted by its owner.
    deletion.cursor = ""
    overdue = timezone.now() - deletion.started_at > _PATIENCE
    if overdue or (error.permanent and deletion.failures >= _REFUSALS):
        _give_up_on(deletion, key)
        return
    pause = min(timedelta(seconds=2) * 2 ** min(deletion.failures, 10), _LONGEST_PAUSE)
    _put_off(deletion, _PAUSE_REFUSED if error.permanent else pause)


def _give_up_on(deletion: TenantDeletion, key: ApiKey) -> None:
    deletion.keys_unreachable = [*deletion.keys_unreachable, str(key)]
    _finish_key(deletion, key)


def _finish_key(deletion: TenantDeletion, key: ApiKey) -> None:
    deletion.keys_done = [*deletion.keys_done, str(key.pk)]
    deletion.cursor, deletion.failures = "", 0
    _put_off(deletion, timedelta(0))


def _put_off(deletion: TenantDeletion, pause: timedelta) -> None:
    """Saves how far it came and gives the claim back, unless the claim was lost."""
    _mine(deletion).update(
        due_at=timezone.now() + pause,
        claim=None,
        claimed_until=None,
        keys_done=deletion.keys_done,
        keys_unreachable=deletion.keys_unreachable,
        cursor=deletion.cursor,
        failures=deletion.failures,
        threads_deleted=deletion.threads_deleted,
    )


def _mine(deletion: TenantDeletion) -> QuerySet[TenantDeletion]:
    return TenantDeletion.objects.filter(pk=deletion.pk, claim=deletion.claim)


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
    if not _mine(deletion).exists():
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
            "keys_unreachable": deletion.keys_unreachable,
            "rows": {name.rpartition(".")[2].lower(): count for name, count in rows.items()},
        },
    )
