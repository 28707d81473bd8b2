"""What beat enqueues, and how often. The schedule is code: no admin can schedule an arbitrary task."""

from datetime import timedelta

BEAT_SCHEDULE = {
    "key-health-tick": {"task": "key_health.tick", "schedule": timedelta(seconds=5), "options": {"expires": 5}},
    "sessions-tick": {"task": "sessions_api.tick", "schedule": timedelta(seconds=5), "options": {"expires": 5}},
}
