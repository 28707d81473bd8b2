"""System check of the site's limits: a mistyped one would refuse everybody, or nobody, without a word."""

from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from tenants.limit_names import LimitName

_PER_MINUTE: Final = (
    "SESSIONS_PER_MINUTE_TENANT",
    "SESSIONS_PER_MINUTE_VISITOR",
    "SESSIONS_PER_MINUTE_ADDRESS",
    "NEW_VISITORS_PER_MINUTE_TENANT",
)
_QUOTAS: Final = ("SESSIONS_PER_DAY_TENANT", "SESSIONS_PER_MONTH_TENANT")


def check_limits(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E001: a limit per minute below 1, or a quota below 0. E002: LIMITS_LOG_ONLY names no limit."""
    least = {**dict.fromkeys(_PER_MINUTE, 1), **dict.fromkeys(_QUOTAS, 0)}
    errors: list[CheckMessage] = [
        Error(
            f"{name} is {getattr(settings, name)}; the least is {number}.",
            hint="See “Limits in numbers” in docs/operating.md.",
            id="tenants.E001",
        )
        for name, number in least.items()
        if getattr(settings, name) < number
    ]
    unknown = sorted(set(settings.LIMITS_LOG_ONLY) - set(LimitName.values))
    if unknown:
        errors.append(
            Error(
                f"LIMITS_LOG_ONLY names what is no limit: {', '.join(unknown)}.",
                hint=f"The limits are {', '.join(LimitName.values)}.",
                id="tenants.E002",
            )
        )
    return errors
