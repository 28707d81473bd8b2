"""The worker's doors to sessions, visitors and dying tenants: each does what the rows say, in slices of a few seconds."""

import time
from typing import Final

from celery import shared_task

from sessions_api.cancel import cancel_claimed
from sessions_api.delete_tenant import advance_deletions
from sessions_api.erase_visitor import advance_erasures
from sessions_api.retention import prune_ledger
from sessions_api.revoke import forget_revoked, purge_expired, request_overlooked
from sessions_api.watch_quotas import watch_quotas
from tenants.keys import forget_replaced

# No batch is begun after this, and a batch takes two deadlines at most (cancel.py).
_CANCELLING_SECONDS: Final = 10.0
_PRUNING_SECONDS: Final = 10.0


@shared_task(name="sessions_api.tick")
def tick() -> None:
    request_overlooked()
    ends = time.monotonic() + _CANCELLING_SECONDS
    while time.monotonic() < ends and cancel_claimed() != (0, 0):
        pass
    purge_expired()
    forget_revoked()
    forget_replaced()


@shared_task(name="sessions_api.delete_tenants")
def delete_tenants() -> None:
    advance_deletions()


@shared_task(name="sessions_api.erase_visitors")
def erase_visitors() -> None:
    advance_erasures()


@shared_task(name="sessions_api.prune_ledger")
def prune() -> None:
    prune_ledger(seconds=_PRUNING_SECONDS)


@shared_task(name="sessions_api.watch_quotas")
def look_at_quotas() -> None:
    watch_quotas()
