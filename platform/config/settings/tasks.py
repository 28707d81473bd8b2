"""Celery: JSON only, ids as arguments, no results; rows in the database say what is to be done, messages are hints."""

from typing import Any

from config.schedule import BEAT_SCHEDULE
from config.settings.environment import VAR_DIR, env

CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", default="filesystem://")
_broker_folders = {name: str(VAR_DIR / "broker" / name) for name in ("messages", "control", "processed")}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "data_folder_in": _broker_folders["messages"],
        "data_folder_out": _broker_folders["messages"],
        "control_folder": _broker_folders["control"],
        "processed_folder": _broker_folders["processed"],
        # The default takes one message a second.
        "polling_interval": 0.05,
    }
    if CELERY_BROKER_URL.startswith("filesystem://")
    else {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "visibility_timeout": 120, "max_retries": 0}
)
BROKER_FOLDERS: list[str] = list(_broker_folders.values()) if CELERY_BROKER_URL.startswith("filesystem://") else []
if BROKER_FOLDERS:
    # kombu's own lets a worker take a message that is not written yet, and ends the worker by it.
    CELERY_BROKER_TRANSPORT = "config.file_broker:Transport"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 0.3
# A black-holed broker would otherwise block `delay()` for ever; what is lost is taken up by the tick.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_EAGER_RESULT = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = 30
CELERY_TASK_TIME_LIMIT = 45
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
