"""Failures of a conversation told without what was said in it: messages of exceptions may quote the visitor.

ChatKit's package logs exceptions with their text, and the requests that it gets; here its records keep the place alone.
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
        record.msg, record.args, record.exc_info, record.exc_text = f"ChatKit: {text}", (), None, None
        return True


def quieten_chatkit() -> None:
    """Its own handler, made where LOG_LEVEL is set, goes as well: records are written once, by ours."""
    log = logging.getLogger("chatkit")
    log.handlers.clear()
    log.setLevel(logging.WARNING)
    if not any(isinstance(each, _PlaceOnly) for each in log.filters):
        log.addFilter(_PlaceOnly())
