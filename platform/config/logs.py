"""One JSON object per line, with the request id, and every secret-looking string cut before it is written."""

import logging
import re
from typing import Any

import structlog

# Anything shaped like a credential of OpenAI's or ours. Redaction is the last wall; no code may rely on it.
_CREDENTIAL = re.compile(
    # Not in the middle of a word ("risk-assessment"); an escape before it (%3D, \n) is no word.
    r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
    # A token of operations is long; "ops_tokens" is a table.
    r"(?:(?:sk-|ek_|domain_pk_|ckp_sign_|vt1\.|pt1\.|ct1\.|fl1\.|ckp1\.|eyJ[A-Za-z0-9_\-]*\.)[A-Za-z0-9_\-.*]{6,}"
    r"|ops_[A-Za-z0-9_\-]{30,})"
    r"|(?i:bearer\s+)[A-Za-z0-9_\-.=~+/]{8,}"
)


def redact(text: str) -> str:
    return _CREDENTIAL.sub("[redacted]", text)


def _redact_event(_logger: Any, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key): _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


_PREPARE: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]
_FINISH: list[structlog.typing.Processor] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    structlog.processors.format_exc_info,
    _redact_event,
    structlog.processors.JSONRenderer(),
]


def logging_config(*, level: str) -> dict[str, Any]:
    structlog.configure(
        processors=[*_PREPARE, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": _PREPARE, "processors": _FINISH}
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # At DEBUG these print headers, bodies or parameters; a key must not depend on redaction.
            name: {"level": max(logging.getLevelNamesMapping()[level], logging.INFO)}
            for name in ("aiohttp", "asyncio", "urllib3", "django.db.backends", "kombu", "celery")
        }
        # These print what visitors and models say: requests at DEBUG, and with a failure what failed to be read. Whatever goes
        # wrong in there is logged by who called them, by its kind.
        | {
            name: {"level": "CRITICAL"}
            for name in ("openai", "openai.agents", "chatkit", "httpx", "httpx2", "httpcore")
        },
    }
