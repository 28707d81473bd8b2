"""The worker's doors to sessions and dying tenants: each does what the rows say, in slices of a few seconds."""

import time
from typing import Final

from celery import shared_task

from sessions_api.delete_tenant import advance_deletions
from sessions_api.revoke import cancel_claimed, purge_expired, request_overlooked
from sessions_api.watch_quotas import watch_quotas
from tenants.keys import forget_replaced

# No batch is begun after this, and a batch takes two deadlines at most (revoke.py).
_CANCELLING_SECONDS: Final = 10.0


@shared_task(name="sessions_api.tick")
def tick() -> None:
    request_overlooked()
    ends = time.monotonic() + _CANCELLING_SECONDS
    while time.monotonic() < ends and cancel_claimed() != (0, 0):
        pass
    purge_expired()
    forget_replaced()


@shared_task(name="sessions_api.delete_tenants")
def delete_tenants() -> None:
    advance_deletions()


@shared_task(name="sessions_api.watch_quotas")
def look_at_quotas() -> None:
    watch_quotas()
