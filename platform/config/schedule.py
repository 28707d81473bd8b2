"""What beat enqueues, and how often. The schedule is code: no admin can schedule an arbitrary task.

Each entry is a tick that looks into the database for what is due, so two beats, or a tick that is lost, do no harm.
A tick that waited longer than its interval is dropped: the next one does its work.
"""

from datetime import timedelta
from typing import Any

_TICK = timedelta(seconds=5)
_PRUNING = timedelta(minutes=10)
_SWEEPING = timedelta(hours=1)


def _every(interval: timedelta, task: str) -> dict[str, Any]:
    return {"task": task, "schedule": interval, "options": {"expires": interval.total_seconds()}}


def _every_tick(task: str) -> dict[str, Any]:
    return _every(_TICK, task)


BEAT_SCHEDULE = {
    "pulse": _every_tick("doctor.pulse"),
    "key-health-tick": _every_tick("key_health.tick"),
    "sessions-tick": _every_tick("sessions_api.tick"),
    "delete-tenants-tick": _every_tick("sessions_api.delete_tenants"),
    "quotas-tick": _every(timedelta(minutes=5), "sessions_api.watch_quotas"),
    "erase-visitors-tick": _every_tick("sessions_api.erase_visitors"),
    "master-keys-tick": _every_tick("console.rewrap"),
    # Rows become overdue once a day; what is many is deleted in slices, run by run.
    "prune-ledger": {
        "task": "sessions_api.prune_ledger",
        "schedule": _PRUNING,
        "options": {"expires": _PRUNING.total_seconds()},
    },
    "prune-runs": _every(_PRUNING, "chat_server.prune_runs"),
    "budgets-tick": _every(timedelta(minutes=5), "chat_server.watch_budgets"),
    "prune-conversations": _every(_PRUNING, "chat_server.prune"),
    "sweep-files": _every(_SWEEPING, "chat_server.sweep"),
}
