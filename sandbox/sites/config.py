"""The config file of the demo's websites: a JSON list of objects with these fields.

port      1 to 65535, required                host      default 127.0.0.1
kind      tenant | stranger | static          title     the shop's name
accent    "#rrggbb", the shop's colour        snippet   the script tag that the tenant was given
root      static only: the built app          config    static only: an object, served as /config.json
chatkit   origin that serves chatkit.js and answers the chat, for the page's Content-Security-Policy;
          default: any port of this machine beside OpenAI's own origins, which fits the demo
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
SCRIPT_SOURCE = re.compile(r"""\bsrc=["'](https?://[^/"'\s]+)""")
DEFAULT_ACCENT = "#334155"


class Kind(StrEnum):
    TENANT = "tenant"
    STRANGER = "stranger"
    STATIC = "static"


@dataclass(frozen=True)
class Site:
    port: int
    kind: Kind
    title: str
    host: str = "127.0.0.1"
    accent: str = DEFAULT_ACCENT
    snippet: str = ""
    chatkit: str = ""
    root: Path | None = None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def platform(self) -> str:
        """The origin that the snippet's script comes from."""
        found = SCRIPT_SOURCE.search(self.snippet)
        return found.group(1) if found else ""


def read_sites(path: Path) -> list[Site]:
    """The sites of a config file; stops with a sentence when it does not read as one."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [read_site(entry) for entry in entries]
    except FileNotFoundError:
        raise SystemExit(f"{path} does not exist. `make demo` writes it.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SystemExit(
            f"{path} does not read as sites: {error}. Its shape is told in sandbox/sites/config.py."
        ) from None


def read_site(entry: Mapping[str, Any]) -> Site:
    kind, port = Kind(entry["kind"]), int(entry["port"])
    if not 1 <= port <= 65535:
        raise ValueError(f"port {port}")
    accent = str(entry.get("accent") or DEFAULT_ACCENT)
    if not COLOUR.fullmatch(accent):
        raise ValueError(f"accent {accent!r} is not #rrggbb")
    chatkit = str(entry.get("chatkit") or "")
    if chatkit and not ORIGIN.fullmatch(chatkit):
        raise ValueError(f"chatkit {chatkit!r} is not an origin")
    root = Path(entry["root"]) if entry.get("root") else None
    if kind is Kind.STATIC and (root is None or not (root / "index.html").is_file()):
        raise ValueError(f"{root} holds no index.html; `make frontend` builds the app")
    return Site(
        port=port,
        kind=kind,
        title=str(entry.get("title") or kind),
        host=str(entry.get("host") or "127.0.0.1"),
        accent=accent,
        snippet=str(entry.get("snippet") or ""),
        chatkit=chatkit,
        root=root,
        config=dict(entry.get("config") or {}),
    )
