"""System check: a server without its embed script would serve pages that stay empty."""

import json
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning

from widget.embed import FOLDER, EmbedIncomplete, embed_scripts


def check_embed_script(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E001: it can't be read, or its launcher wants another chat part. W001: the description is of another build."""
    try:
        scripts = embed_scripts()
    except EmbedIncomplete as problem:
        return [
            Error(
                str(problem), hint="The built file belongs to the repository: widget/static_embed/.", id="widget.E001"
            )
        ]
    launcher, chat = scripts.current, scripts.chats[scripts.current.version]
    if chat.sri.encode() not in launcher.body:
        return [
            Error(
                "embed.js carries the hash of another chat.js: browsers would refuse to open any chat.",
                hint="Run `make frontend`, and commit all files of widget/static_embed/.",
                id="widget.E001",
            )
        ]
    meta = json.loads((FOLDER / "embed.js.meta.json").read_text())
    if (meta.get("sri"), meta.get("chat_sri")) == (launcher.sri, chat.sri):
        return []
    return [
        Warning(
            "embed.js.meta.json states other hashes than embed.js and chat.js have.",
            hint="Run `make frontend`.",
            id="widget.W001",
        )
    ]
