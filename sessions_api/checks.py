"""System check of the spool: a directory that other users of the machine can open is refused before it is needed."""

import stat
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_spool_directory(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001. One that is not there yet is made by the first web process, with the right mode."""
    try:
        mode = stat.S_IMODE(settings.SPOOL_DIR.stat().st_mode)
    except OSError:
        return []
    if not mode & 0o077:
        return []
    return [
        Error(
            "SPOOL_DIR can be opened by other users of the machine, so it is not used.",
            hint=f"`chmod 0700 {settings.SPOOL_DIR}`. See 'When something is down' in docs/operating.md.",
            id="sessions_api.E001",
        )
    ]
