"""Taking rows to work on so that each is worked on by one process at a time, whatever the broker delivers, doubles or loses.

A claimable row has `claim` (who has it), `claimed_until` (after which anybody may take it up again: its holder was killed) and
`attempts`. The claim is a conditional UPDATE, exact on every database; whoever writes a result back names its claim in the
condition, so that a holder that comes too late changes nothing.

For key_health's plans, too: both rooms have such rows, and this is the lower one.
"""

import uuid
from datetime import timedelta
from typing import TypeVar

from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

M = TypeVar("M", bound=models.Model)


def claim_rows(rows: QuerySet[M], *, limit: int, lease: timedelta) -> list[M]:
    """Claims up to `limit` of `rows`, in their order, for `lease`, and returns those that were won, with their new claim."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    # Most looks find nothing, and on SQLite the transaction below takes the one write lock.
    if not rows.filter(free).exists():
        return []
    claim = uuid.uuid4()
    with transaction.atomic():
        # Rows that another process is claiming now are passed over; without that, two claims that meet could deadlock.
        locked = rows.filter(free).select_related(None).select_for_update(skip_locked=True, of=("self",))
        wanted = [row.pk for row in locked.only("pk")[:limit]]
        # Only this UPDATE decides: its condition is looked at again for each row when it is locked.
        rows.model._default_manager.filter(free, pk__in=wanted).update(
            claim=claim, claimed_until=now + lease, attempts=F("attempts") + 1
        )
    return list(rows.filter(claim=claim))
