"""Erasing threads with each of a tenant's keys, one slice at a time: what deleting a tenant and erasing a visitor share.

A key that OpenAI refuses three times over is given up on, and so is one that does not answer for a day; the row names such
keys, because what they alone can reach must be deleted by hand.
"""

import logging
from datetime import timedelta
from typing import Final, TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from chatkit_client.errors import ChatKitError
from sessions_api.claims import claim_rows
from sessions_api.erase import Erased, Whose, erase_threads
from sessions_api.models import ThreadErasure
from tenants.credentials import KeyUnusable, credentials_of
from tenants.models import ApiKey, Tenant
from tenants.upstreams import upstream

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
# How soon to look whether the live sessions are gone.
WAIT: Final = timedelta(seconds=3)
_PAUSE_REFUSED: Final = timedelta(seconds=60)
_LONGEST_PAUSE: Final = timedelta(minutes=5)
_REFUSALS: Final = 3
_PATIENCE: Final = timedelta(days=1)

E = TypeVar("E", bound=ThreadErasure)


def claim_due(erasures: QuerySet[E]) -> E | None:
    """The row that has waited longest, claimed; None where nothing is due."""
    claimed = claim_rows(erasures.filter(due_at__lte=timezone.now()).order_by("due_at"), limit=1, lease=LEASE)
    return claimed[0] if claimed else None


def erase_with_next_key(erasure: ThreadErasure, tenant: Tenant, *, whose: Whose, seconds: float) -> bool:
    """One slice with the next key, after which the claim is given back; True when no key is left and the claim is kept."""
    key = tenant.keys.exclude(pk__in=erasure.keys_done).order_by("created_at").first()
    if key is None:
        return True
    try:
        erased = erase_threads(
            base_url=upstream(tenant.upstream).base_url,
            credentials=credentials_of(key),
            whose=whose,
            cursor=erasure.cursor,
            seconds=seconds,
        )
    except KeyUnusable as error:
        _give_up_on(erasure, key, error.reason)
    except KeyError:
        _give_up_on(erasure, key, "upstream_not_allowed")
    else:
        _take_note(erasure, key, erased)
    return False


def put_off(erasure: ThreadErasure, pause: timedelta) -> None:
    """Saves how far it came and gives the claim back, unless the claim was lost."""
    mine(erasure).update(
        due_at=timezone.now() + pause,
        claim=None,
        claimed_until=None,
        keys_done=erasure.keys_done,
        keys_unreachable=erasure.keys_unreachable,
        by_key=erasure.by_key,
        cursor=erasure.cursor,
        failures=erasure.failures,
        threads_of_key=erasure.threads_of_key,
        threads_deleted=erasure.threads_deleted,
    )


def mine(erasure: E) -> QuerySet[E]:
    return type(erasure)._default_manager.filter(pk=erasure.pk, claim=erasure.claim)


def _take_note(erasure: ThreadErasure, key: ApiKey, erased: Erased) -> None:
    erasure.threads_deleted += erased.deleted
    erasure.threads_of_key += erased.deleted
    erasure.cursor = erased.cursor
    if erased.finished:
        _finish_key(erasure, key)
    elif erased.error is not None:
        _retry_or_give_up(erasure, key, erased, erased.error)
    else:
        erasure.failures = 0
        put_off(erasure, timedelta(0))


def _retry_or_give_up(erasure: ThreadErasure, key: ApiKey, erased: Erased, error: ChatKitError) -> None:
    logger.warning("threads are not erased yet: %s", error, extra={"key_id": str(key.pk)})
    erasure.failures = 1 if erased.deleted else erasure.failures + 1
    # The thread at which to go on may have been deleted by its owner.
    erasure.cursor = ""
    overdue = timezone.now() - erasure.started_at > _PATIENCE
    if overdue or (error.permanent and erasure.failures >= _REFUSALS):
        _give_up_on(erasure, key, error.reason.value)
        return
    pause = min(timedelta(seconds=2) * 2 ** min(erasure.failures, 10), _LONGEST_PAUSE)
    put_off(erasure, _PAUSE_REFUSED if error.permanent else pause)


def _give_up_on(erasure: ThreadErasure, key: ApiKey, why: str) -> None:
    logger.warning("threads can't be erased with a key: %s", why, extra={"key_id": str(key.pk)})
    erasure.keys_unreachable = [*erasure.keys_unreachable, str(key)]
    _finish_key(erasure, key, not_reached=why)


def _finish_key(erasure: ThreadErasure, key: ApiKey, *, not_reached: str = "") -> None:
    came_to = {
        "key": key.label,
        "fingerprint": key.fingerprint,
        "threads_deleted": erasure.threads_of_key,
        "not_reached": not_reached,
    }
    erasure.keys_done = [*erasure.keys_done, str(key.pk)]
    erasure.by_key = [*erasure.by_key, came_to]
    erasure.cursor, erasure.failures, erasure.threads_of_key = "", 0, 0
    put_off(erasure, timedelta(0))
