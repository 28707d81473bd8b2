"""Failures of a conversation told without what was said in it: messages of exceptions may quote the visitor.

The packages log exceptions with their text, and the requests that they get; here their records keep the place alone.
"""

import logging
import traceback
from typing import Final

FRAMES: Final = 3


def without_content(error: BaseException) -> str:
    """The kind of the error and where it came from."""
    places = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    where = " < ".join(f"{place.filename.rpartition('/')[2]}:{place.lineno}" for place in reversed(places))
    return f"{type(error).__name__} ({where})" if where else type(error).__name__


class _PlaceOnly(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        text = f"{record.module}.{record.funcName}" if error is None else without_content(error)
        record.msg, record.args, record.exc_info, record.exc_text = f"{record.name}: {text}", (), None, None
        return True


def quieten_packages() -> None:
    """Whatever the environment tells them (LOG_LEVEL, OPENAI_LOG, OPENAI_AGENTS_DONT_LOG_MODEL_DATA); after they are loaded.

    A handler of ChatKit's own, made where LOG_LEVEL is set, goes as well: records are written once, by ours.
    """
    for name in ("chatkit", "openai", "httpx2", "httpcore2"):
        log = logging.getLogger(name)
        log.handlers.clear()
        log.setLevel(logging.WARNING)
        if not any(isinstance(each, _PlaceOnly) for each in log.filters):
            log.addFilter(_PlaceOnly())
    # Each failure of a run comes to us as an exception, and is logged with the request's id.
    logging.getLogger("openai.agents").setLevel(logging.CRITICAL)
