"""Deleting what the platform itself served, step by step: what erasing a visitor and deleting a tenant share."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction

from sessions_api.erase_keys import mine, put_off
from sessions_api.models import ThreadErasure


def delete_served_here(erasure: ThreadErasure, step: Callable[[], Counter[str]], *, until: float) -> bool:
    """Repeats the step until nothing is left (True) or the time is over (monotonic; the claim is given back then).

    What a step deletes and the note of how much that was are one transaction, so the counts are right whenever a worker dies.
    """
    while True:
        with transaction.atomic():
            if not mine(erasure).select_for_update(of=("self",)).exists():
                return False
            deleted = step()
            note_deleted(erasure, deleted)
        if not deleted:
            return True
        if time.monotonic() >= until:
            put_off(erasure, timedelta(0))
            return False


def note_deleted(erasure: ThreadErasure, deleted: Counter[str]) -> None:
    """Adds to the row's counts, in the transaction that deletes."""
    if deleted:
        erasure.served_here = dict(Counter(erasure.served_here) + deleted)
        mine(erasure).update(served_here=erasure.served_here)
