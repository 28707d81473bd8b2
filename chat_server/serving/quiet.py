"""What the packages may log: that something failed and where, never what was said; nothing at all of what goes well.

Each can be told by the environment (OPENAI_LOG, OPENAI_AGENTS_DONT_LOG_MODEL_DATA, LOG_LEVEL) to write requests and answers into the
log, ChatKit's by a handler of its own beside ours.
"""

import logging
import traceback
from typing import Final

import agents._debug
import chatkit.logger

_PACKAGES: Final = ("chatkit", "openai", "openai.agents", "httpx2", "httpcore2", "mcp")


class FactsOnly(logging.Filter):
    """An exception becomes its class and place; its words may repeat the visitor's."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind, error, trace = record.exc_info if isinstance(record.exc_info, tuple) else (None, None, None)
        if kind is None and isinstance(record.msg, BaseException):
            kind = type(record.msg)
        if kind is not None:
            frames = traceback.extract_tb(trace)
            where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
            record.msg, record.args = f"{kind.__name__}{where}", ()
            record.exc_info = record.exc_text = None
        return True


def quieten() -> None:
    """Called once, where the packages are loaded."""
    for name in _PACKAGES:
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        if not any(isinstance(each, FactsOnly) for each in logger.filters):
            logger.addFilter(FactsOnly())
    # Each failure comes to us as an exception, which is logged with the request's id.
    logging.getLogger("openai.agents").setLevel(logging.CRITICAL)
    chatkit.logger.logger.handlers.clear()
    agents._debug.DONT_LOG_MODEL_DATA = agents._debug.DONT_LOG_TOOL_DATA = True
