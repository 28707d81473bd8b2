"""What beat enqueues, and how often. The schedule is code: no admin can schedule an arbitrary task.

Each entry is a tick that looks into the database for what is due, so two beats, or a tick that is lost, do no harm.
A tick that waited longer than its interval is dropped: the next one does its work.
"""

from datetime import timedelta
from typing import Any

_TICK = timedelta(seconds=5)
_PRUNING = timedelta(minutes=10)


def _every_tick(task: str) -> dict[str, Any]:
    return {"task": task, "schedule": _TICK, "options": {"expires": _TICK.total_seconds()}}


BEAT_SCHEDULE = {
    "key-health-tick": _every_tick("key_health.tick"),
    "sessions-tick": _every_tick("sessions_api.tick"),
    "delete-tenants-tick": _every_tick("sessions_api.delete_tenants"),
    "erase-visitors-tick": _every_tick("sessions_api.erase_visitors"),
    # Rows become overdue once a day; what is many is deleted in slices, run by run.
    "prune-ledger": {
        "task": "sessions_api.prune_ledger",
        "schedule": _PRUNING,
        "options": {"expires": _PRUNING.total_seconds()},
    },
}
