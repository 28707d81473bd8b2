"""The Celery application: JSON only, ids as arguments, no results.

Messages are hints; claims in the database are the truth (docs/decisions/0006-claims-are-the-truth.md), so a lost or doubled
message costs nothing but time. How the processes are started:

    celery -A config worker --without-gossip --without-mingle --without-heartbeat -c 2
    celery -A config beat --max-interval 1 --pidfile ""
"""

import logging.config
import os
from pathlib import Path
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")


class QuietTask(Task[Any, Any]):
    """A task whose arguments stay out of logs, events and `inspect`: by default every message carries their repr."""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        options.setdefault("argsrepr", "(…)")
        options.setdefault("kwargsrepr", "{…}")
        return super().apply_async(*args, **options)


app = Celery("config", task_cls=QuietTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_broker_folders(**_: Any) -> None:
    """The filesystem broker refuses to publish or to listen where its folders are missing; they hold messages, hence 0700."""
    from django.conf import settings

    for folder in settings.BROKER_FOLDERS:
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)


@worker_init.connect
@beat_init.connect
def stop_without_fit_keys(**_: Any) -> None:
    """As the web server does. SystemExit, because Celery only logs what else a signal's receiver raises."""
    from django.core.exceptions import ImproperlyConfigured

    from encryption.checks import require_fit_keys

    try:
        require_fit_keys()
    except ImproperlyConfigured as problem:
        raise SystemExit(str(problem)) from None


@setup_logging.connect
def log_as_the_web_does(**_: Any) -> None:
    """Being connected stops Celery from installing handlers of its own: workers then log JSON lines with redaction, too."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
    for name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
        # That a tick was sent, received and done, every five seconds, is no news; that it failed is.
        logging.getLogger(name).setLevel(logging.WARNING)
