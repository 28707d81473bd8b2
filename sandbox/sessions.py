"""The sessions that the sandbox has granted; secrets are kept as SHA-256 only.

A client secret reads `ek_sandbox_<expires at, epoch seconds>_<random hex>`, so that the stand-in component knows when
to ask for the next one.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.session_request import SessionRequest

# A session that ended is still found for a minute; then it answers 404, as OpenAI's do at some time.
REMEMBER_SECONDS = 60
PURGE_EVERY_GRANTS = 200


@dataclass
class Session:
    id: str
    secret_hash: str
    project: str
    key: str
    user: str
    workflow: dict[str, Any]
    expires_at: int
    requests_per_minute: int
    configuration: dict[str, Any]
    cancelled: bool = False
    recent: deque[float] = field(default_factory=deque, repr=False)

    @property
    def status(self) -> str:
        if self.cancelled:
            return "cancelled"
        return "expired" if time.time() >= self.expires_at else "active"

    def answer(self, client_secret: str = "") -> dict[str, Any]:
        """`ChatSessionResource`: neither `created_at` nor `expires_after` is part of it."""
        return {
            "id": self.id,
            "object": "chatkit.session",
            "status": self.status,
            "expires_at": self.expires_at,
            "client_secret": client_secret,
            "user": self.user,
            "workflow": self.workflow,
            "rate_limits": {"max_requests_per_1_minute": self.requests_per_minute},
            "max_requests_per_1_minute": self.requests_per_minute,
            "chatkit_configuration": self.configuration,
        }

    def wait_for_turn(self) -> int:
        """Counts one message; 0 when it may go on, else the seconds until the next may."""
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 60:
            self.recent.popleft()
        if len(self.recent) >= self.requests_per_minute:
            return max(1, round(self.recent[0] + 60 - now))
        self.recent.append(now)
        return 0


class Sessions:
    def __init__(self) -> None:
        self.by_id: dict[str, Session] = {}
        self._by_secret: dict[str, Session] = {}
        self._grants = 0

    def grant(self, request: SessionRequest, *, project: str, key: str) -> tuple[Session, str]:
        """A new session and its client secret, which is told here and never again."""
        expires_at = int(time.time()) + request.seconds
        secret = f"ek_sandbox_{expires_at}_{secrets.token_hex(24)}"
        session = Session(
            id=f"cksess_{secrets.token_hex(24)}",
            secret_hash=_hash(secret),
            project=project,
            key=key,
            user=request.user,
            workflow={
                "id": request.workflow_id,
                "version": request.workflow_version,
                "state_variables": request.state_variables,
                "tracing": {"enabled": request.tracing},
            },
            expires_at=expires_at,
            requests_per_minute=request.requests_per_minute,
            configuration=request.configuration(),
        )
        self._remember(session)
        self._grants += 1
        if self._grants % PURGE_EVERY_GRANTS == 0:
            self.purge()
        return session, secret

    def find(self, session_id: str, *, project: str) -> Session | None:
        session = self.by_id.get(session_id)
        if session is None or session.project != project or _is_forgotten(session):
            return None
        return session

    def of_secret(self, client_secret: str) -> Session | None:
        """The live session of a client secret; None when it is unknown, expired or cancelled."""
        session = self._by_secret.get(_hash(client_secret))
        return session if session is not None and session.status == "active" else None

    def live(self) -> list[Session]:
        return [session for session in self.by_id.values() if session.status == "active"]

    def purge(self) -> None:
        for session in [session for session in self.by_id.values() if _is_forgotten(session)]:
            del self.by_id[session.id]
            del self._by_secret[session.secret_hash]

    def dump(self) -> list[dict[str, Any]]:
        self.purge()
        return [{**asdict(session), "recent": []} for session in self.by_id.values()]

    def load(self, items: list[dict[str, Any]]) -> None:
        for item in items:
            self._remember(Session(**{**item, "recent": deque()}))

    def _remember(self, session: Session) -> None:
        self.by_id[session.id] = session
        self._by_secret[session.secret_hash] = session


def _is_forgotten(session: Session) -> bool:
    return time.time() >= session.expires_at + REMEMBER_SECONDS


def _hash(client_secret: str) -> str:
    return hashlib.sha256(client_secret.encode("utf-8", "surrogateescape")).hexdigest()
