"""Everything that exists in one sandbox, and its file.

The file (`--state`) keeps keys as fingerprints and secrets as hashes, so it holds nothing that opens a door; it is
written whole, to a temporary name first, with mode 0600.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox.journal import Journal
from sandbox.keys import Accounts
from sandbox.responses.catalogue import Catalogue
from sandbox.responses.leaving import Callers
from sandbox.sessions import Sessions
from sandbox.threads import Threads


class HostMode(StrEnum):
    UP = "up"
    DOWN = "down"  # answers `status` (500 to 599)
    SLOW = "slow"  # answers `delay_ms` late
    HANG = "hang"  # takes the request and never answers
    DRIPPING = "dripping"  # headers at once, then one byte of the body every `interval_ms`
    RESET = "reset"  # closes with a TCP reset instead of answering


@dataclass
class Host:
    mode: HostMode = HostMode.UP
    status: int = 503
    delay_ms: int = 0
    interval_ms: int = 500
    latency_ms: int = 0


@dataclass
class FaultRule:
    """A named fault (sandbox.faults) for the next `remaining` calls whose path starts with `path`."""

    kind: str
    path: str = "/v1/"
    remaining: int | None = None
    key: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


class World:
    def __init__(self, state_file: Path | None = None) -> None:
        self.state_file = state_file
        self.callers = Callers()  # Open connections outlive a reset.
        self.reset()
        if state_file is not None and state_file.exists():
            self._load(state_file)

    def reset(self) -> None:
        self.accounts = Accounts()
        self.sessions = Sessions()
        self.threads = Threads()
        self.journal = Journal()
        self.catalogue = Catalogue()
        self.host = Host()
        self.faults: list[FaultRule] = []
        self.changed = False

    def take_fault(self, path: str, key: str | None) -> FaultRule | None:
        """The first rule that fits this call; counts it."""
        for rule in self.faults:
            if not path.startswith(rule.path) or (rule.key is not None and rule.key != key):
                continue
            if rule.remaining is not None:
                rule.remaining -= 1
                if rule.remaining <= 0:
                    self.faults.remove(rule)
            return rule
        return None

    def save(self) -> None:
        """Writes the state file if there is one and anything has changed."""
        if self.state_file is None or not self.changed:
            return
        self.changed = False
        state = {
            "accounts": self.accounts.dump(),
            "sessions": self.sessions.dump(),
            "threads": self.threads.dump(),
        }
        self.state_file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.state_file.with_name(f"{self.state_file.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(state, file)
        temporary.replace(self.state_file)

    def _load(self, path: Path) -> None:
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            self.accounts.load(state["accounts"])
            self.sessions.load(state["sessions"])
            self.threads.load(state["threads"])
        except (ValueError, KeyError, TypeError) as error:
            kind = type(error).__name__
            message = f"{path} is not a sandbox state file ({kind}). Delete it to start with an empty sandbox."
            raise SystemExit(message) from None
