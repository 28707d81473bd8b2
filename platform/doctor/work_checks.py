"""Broker, worker and beat, judged by what was done: a tick that a worker wrote down, checks that are overdue, messages that wait.

A worker that answers pings may still do nothing, and the filesystem broker knows no pings.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from doctor.findings import Finding, fail, ok, warn
from doctor.models import TICK, Pulse
from key_health.models import CheckPlan
from tenants.models import TenantState

# Beat sends it every 5 s, and a worker may be busy with a batch for half a minute.
FRESH: Final = timedelta(seconds=60)
# Beat's most frequent ticks; a newest message that is older means that no beat sends.
SENT_WITHIN: Final = timedelta(seconds=30)
OVERDUE: Final = timedelta(minutes=5)
QUEUE: Final = "celery"
TASK: Final = "doctor.pulse"
INTERVAL: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies in the queue; `newest`: when beat sent the newest tick (with files, anybody any message); None without one."""

    messages: int
    newest: datetime | None


def broker() -> Finding:
    try:
        waiting = look_into_queue()
    except Exception as problem:
        # Each transport has errors of its own.
        return fail(
            f"The broker does not answer ({type(problem).__name__}).",
            "See that Redis runs and CELERY_BROKER_URL names it; for filesystem://, that VAR_DIR can be written.",
        )
    return ok(f"It answers; {waiting.messages} messages wait.")


def worker() -> Finding:
    last, waiting = _last_tick(), _waiting()
    now = timezone.now()
    overdue = CheckPlan.objects.filter(
        due_at__lt=now - OVERDUE, key__retired_at=None, key__tenant__state=TenantState.ACTIVE
    ).count()
    return judge_worker(last, waiting, overdue=overdue, now=now)


def judge_worker(last: datetime | None, waiting: Waiting, *, overdue: int, now: datetime) -> Finding:
    cure = "Start it, or see in its log why it does nothing: `docker compose logs --tail 50 worker`. A restart is always safe."
    if last is not None and now - last <= FRESH:
        if overdue:
            return warn(f"It works, but {overdue} checks of keys are overdue by more than 5 minutes.", cure)
        return ok(f"It did a tick {_ago(now - last)}.")
    if waiting.messages:
        return fail(f"Messages wait ({waiting.messages}), and no worker takes them. {_last(last, now)}", cure)
    return fail(f"Nothing was done lately. {_last(last, now)}", f"See that beat runs, then the worker. {cure}")


def beat() -> Finding:
    return judge_beat(_last_tick(), _waiting(), now=timezone.now())


def judge_beat(last: datetime | None, waiting: Waiting, *, now: datetime) -> Finding:
    if last is not None and now - last <= FRESH:
        return ok(f"Its last tick was done {_ago(now - last)}.")
    if waiting.newest is not None and now - waiting.newest <= SENT_WITHIN:
        return ok("It sends ticks, which wait for a worker.")
    return fail(
        f"It sends no ticks. {_last(last, now)}",
        "Start it, one only: `docker compose ps beat`, `docker compose logs --tail 50 beat`. A restart is always safe.",
    )


def look_into_queue() -> Waiting:
    if settings.BROKER_FOLDERS:
        return _in_folder(Path(settings.BROKER_FOLDERS[0]))
    import redis

    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        # The newest stands first. redis-py types both as possibly asynchronous.
        newest: Any = client.lrange(QUEUE, 0, 99)
        messages: Any = client.llen(QUEUE)
    finally:
        client.close()
    return Waiting(int(messages), next(filter(None, map(sent_at, newest)), None))


def _in_folder(folder: Path) -> Waiting:
    if not folder.is_dir():
        # Whoever publishes or listens first makes it.
        return Waiting(0, None)
    times = [path.stat().st_mtime for path in folder.glob(f"*.{QUEUE}.msg") if path.exists()]
    return Waiting(len(times), datetime.fromtimestamp(max(times), tz=timezone.now().tzinfo) if times else None)


def sent_at(message: bytes) -> datetime | None:
    """When beat sent this tick; None for other messages. They carry the time at which they expire, one interval later."""
    try:
        headers = json.loads(message)["headers"]
        expires = datetime.fromisoformat(headers["expires"])
        is_tick = headers["task"] == TASK
    except (ValueError, KeyError, TypeError):
        return None
    return expires - INTERVAL if is_tick and expires.tzinfo else None


def _waiting() -> Waiting:
    try:
        return look_into_queue()
    except Exception:
        # The broker's own check says so.
        return Waiting(0, None)


def _last_tick() -> datetime | None:
    return Pulse.objects.filter(name=TICK).values_list("at", flat=True).first()


def _last(last: datetime | None, now: datetime) -> str:
    return "No tick was ever done." if last is None else f"The last tick was done {_ago(now - last)}."


def _ago(age: timedelta) -> str:
    seconds = max(0, round(age.total_seconds()))
    return f"{seconds} s ago" if seconds < 600 else f"{seconds // 60} min ago"
