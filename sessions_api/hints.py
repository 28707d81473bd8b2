"""Tells the workers that there is something to do. A hint may be lost: the rows say what is to be done, and each tick
reads them.

For key_health's tasks, too: the broker is left alone by the whole process at once, and this is the lower room.
"""

import logging
import time
from typing import Any, Final

from celery import current_app

logger = logging.getLogger(__name__)

# A broker that swallows packets costs 0.3 s (CELERY_BROKER_* settings); paid once in this time, not once for each hint.
_LEFT_ALONE_SECONDS: Final = 5.0
_away_until = 0.0


def load_broker_client() -> None:
    """For web processes, at their start: the import takes up to 0.4 s, which would else be part of somebody's first save."""
    _ = current_app.connection_for_write().transport_cls


def send_hint(task: Any, *args: Any) -> bool:
    """Publishes a task after the commit of what it is about; False where the broker is away and the next tick does it.

    Never raises: what was committed must not look like a failure because a hint was lost.
    """
    global _away_until
    if time.monotonic() < _away_until:
        return False
    try:
        task.apply_async(args, retry=False)
    except Exception as error:  # each broker has its own tree
        _away_until = time.monotonic() + _LEFT_ALONE_SECONDS
        logger.warning("the broker is away (%s); the next tick takes up what was hinted", type(error).__name__)
        return False
    return True
