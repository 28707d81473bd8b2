"""What reached the sandbox: one entry per call of the API, and counters that outlive the entries.

A key is named by its fingerprint (first 16 hex digits of its SHA-256), a client secret not at all.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

CAPACITY = 20_000
TOLD_HEADERS = (
    "accept",
    "accept-encoding",
    "content-type",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "origin",
    "referer",
    "traceparent",
    "user-agent",
)


@dataclass
class Entry:
    """`status` stays null while the call is under way, and for ever when the sandbox gave no answer."""

    seq: int
    time: float
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    header_names: list[str]
    status: int | None = None
    ms: float | None = None
    key: str | None = None
    project: str | None = None
    user: str | None = None
    workflow: str | None = None
    session: str | None = None
    body: Any = None
    op: str | None = None
    fault: str | None = None
    # Of a run of the model (/v1/responses) only.
    last_four: str | None = None
    model: str | None = None
    text: str | None = None
    response: str | None = None
    outcome: str | None = None
    events: int = 0


@dataclass
class Journal:
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    counters: Counter[str] = field(default_factory=Counter)
    total: int = 0
    # How the runs of the model ended.
    outcomes: Counter[str] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def open(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Entry:
        told = {name: headers[name] for name in TOLD_HEADERS if name in headers}
        names = sorted({name.lower() for name in headers})
        entry = Entry(next(self._numbers), time.time(), method, path, dict(query), told, names)
        self.entries.append(entry)
        self.total += 1
        return entry

    def close(self, entry: Entry, status: int | None, started: float) -> None:
        entry.status = status
        entry.ms = round((time.perf_counter() - started) * 1000, 2)
        self.counters[f"{entry.method} {_route(entry.path)} {status if status is not None else 'none'}"] += 1

    def find(self, *, since: int = 0, limit: int = CAPACITY, **wanted: str) -> list[dict[str, Any]]:
        """Entries after number `since` whose fields equal those wanted; `path` may be a part of the path."""
        found = [asdict(entry) for entry in self.entries if entry.seq > since and _matches(entry, wanted)]
        return found[-limit:] if limit else []

    def clear(self) -> None:
        self.entries.clear()
        self.counters.clear()
        self.outcomes.clear()
        self.total = 0


def _matches(entry: Entry, wanted: Mapping[str, str]) -> bool:
    for name, value in wanted.items():
        if name == "path":
            if value not in entry.path:
                return False
        elif str(getattr(entry, name)) != value:
            return False
    return True


def _route(path: str) -> str:
    """The path with ids replaced, so that counters stay few."""
    parts = ["{id}" if part.startswith(("cksess_", "cthr_", "vs_")) else part[:40] for part in path.split("/")[:7]]
    return "/".join(parts)
