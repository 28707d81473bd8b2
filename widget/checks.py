"""System check: a server without its embed script would serve pages that stay empty."""

import json
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning

from widget.embed import FOLDER, EmbedIncomplete, embed_scripts


def check_embed_script(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E001: it can't be read. W001: the description beside it was written for another build."""
    try:
        current = embed_scripts().current
    except EmbedIncomplete as problem:
        return [
            Error(
                str(problem), hint="The built file belongs to the repository: widget/static_embed/.", id="widget.E001"
            )
        ]
    stated = json.loads((FOLDER / "embed.js.meta.json").read_text()).get("sri")
    if stated == current.sri:
        return []
    return [
        Warning(
            "embed.js.meta.json states another hash than embed.js has.",
            hint="Run `make frontend`.",
            id="widget.W001",
        )
    ]
