"""The embed script's files, read once: the current one, and released ones that pages have pinned.

    static_embed/embed.js             the current launcher, built from frontend/embed and committed
    static_embed/chat.js              the chat part that this launcher fetches, and whose hash it carries
    static_embed/embed.js.meta.json   {"version": "1.0.0", "sri": "sha384-…", "chat_sri": "sha384-…"}, of the same build
    static_embed/<x.y.z>/…            earlier releases, kept for pages that carry their hash; the first ones had no chat.js

A released version never changes: browsers refuse a pinned script whose hash differs. A launcher of before a deployment, in some
browser's cache, still asks for the chat part of its own version.
"""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static_embed"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


class EmbedIncomplete(Exception):
    """The script or its description is missing or doesn't fit; the message says the cure."""


@dataclass(frozen=True, slots=True)
class EmbedScript:
    """One file of a release. `sri` is what an integrity attribute says; `etag` is a strong one, of `body`."""

    version: str
    body: bytes
    zipped: bytes
    sri: str
    etag: str


@dataclass(frozen=True, slots=True)
class EmbedScripts:
    """The launchers, and the chat parts by version."""

    current: EmbedScript
    by_version: dict[str, EmbedScript]
    chats: dict[str, EmbedScript]


@cache
def embed_scripts() -> EmbedScripts:
    """Raises EmbedIncomplete; a system check says so before a server starts (widget.E001)."""
    return read_scripts(FOLDER)


def read_scripts(folder: Path) -> EmbedScripts:
    try:
        version = json.loads((folder / "embed.js.meta.json").read_text())["version"]
        current = _script(version, (folder / "embed.js").read_bytes())
        chat = _script(version, (folder / "chat.js").read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise EmbedIncomplete(
            f"The embed script can't be read from {folder.name}/ ({type(problem).__name__}). Build it with `make frontend`."
        ) from None
    return EmbedScripts(
        current,
        {script.version: script for script in (*_earlier(folder, "embed.js"), current)},
        {script.version: script for script in (*_earlier(folder, "chat.js"), chat)},
    )


def _earlier(folder: Path, name: str) -> list[EmbedScript]:
    return [_script(file.parent.name, file.read_bytes()) for file in sorted(folder.glob(f"*/{name}"))]


def _script(version: str, body: bytes) -> EmbedScript:
    if not _VERSION.fullmatch(version):
        raise ValueError("A version is three numbers, such as 1.0.0.")
    digest = hashlib.sha384(body).digest()
    return EmbedScript(
        version=version,
        body=body,
        zipped=gzip.compress(body, mtime=0),
        sri=f"sha384-{base64.b64encode(digest).decode()}",
        etag=digest.hex()[:32],
    )
