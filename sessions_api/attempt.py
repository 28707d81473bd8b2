"""One call of the session endpoint as the ledger will know it, filled in while the decisions are made."""

import re
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from audit.addresses import truncate_address
from audit.changes import printable
from chatkit_client.errors import ChatKitError
from gateway.fresh_ids import fresh_uuid
from gateway.lean import LeanRequest
from gateway.limit_decision import Decision
from sessions_api.models import SessionRequest
from tenants.snapshot import TenantSnapshot

MAX_ORIGIN = 300
_CLIENT = re.compile(r"[a-z0-9./-]{1,40}")


@dataclass(slots=True)
class Attempt:
    """`started` is on the monotonic clock, `upstream_ms` is None while OpenAI has not been asked."""

    request_id: str
    started: float
    origin: str
    address: str
    client: str
    is_preflight: bool
    tenant: TenantSnapshot | None = None
    assistant_slug: str = ""
    key_id: uuid.UUID | None = None
    visitor_ref: str = ""
    visitor_kind: str = ""
    # "ok", or why the signed identity was refused or is missing; blank where the tenant doesn't ask.
    identity: str = ""
    # Names of limits on trial that would have refused this.
    would_refuse: tuple[str, ...] = ()
    # None while no limit has been asked.
    limited: Decision | None = None
    is_refresh: bool = False
    upstream_ms: int | None = None
    upstream_status: int | None = None
    upstream_request_id: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def of(cls, request: LeanRequest) -> "Attempt":
        client = request.META.get("HTTP_X_CHATKIT_CLIENT", "")
        return cls(
            request_id=request.request_id,
            started=request.started,
            origin=printable(request.META.get("HTTP_ORIGIN", "")[:MAX_ORIGIN]),
            address=request.client.address,
            client=client if _CLIENT.fullmatch(client) else "",
            is_preflight=request.method == "OPTIONS",
        )

    def begin_again(self) -> None:
        """As somebody new: who it is and what limits say is decided anew. OpenAI's part stays, since it was asked."""
        self.visitor_ref = self.visitor_kind = self.identity = ""
        self.would_refuse = ()
        # What it had reserved was given back, and must not be once more.
        self.limited = None

    def answered_upstream(self, *, latency_ms: int, status: int | None, request_id: str | None) -> None:
        self.upstream_ms = (self.upstream_ms or 0) + latency_ms
        self.upstream_status = status
        self.upstream_request_id = request_id or ""

    def failed_upstream(self, error: ChatKitError) -> None:
        self.answered_upstream(latency_ms=error.latency_ms or 0, status=error.status, request_id=error.request_id)

    def row(self, *, outcome: str, reason: str = "") -> SessionRequest:
        return SessionRequest(
            id=fresh_uuid(),
            at=self.at,
            tenant_id=self.tenant.id if self.tenant else None,
            assistant_slug=self.assistant_slug,
            key_id=self.key_id,
            outcome=outcome,
            reason=reason,
            is_refresh=self.is_refresh,
            is_preflight=self.is_preflight,
            origin=self.origin,
            visitor_ref=self.visitor_ref,
            visitor_kind=self.visitor_kind,
            identity=self.identity,
            would_refuse=",".join(self.would_refuse)[:80],
            address=truncate_address(self.address),
            latency_ms=round((time.monotonic() - self.started) * 1000),
            upstream_ms=self.upstream_ms,
            upstream_status=self.upstream_status,
            upstream_request_id=self.upstream_request_id,
            request_id=self.request_id,
            client=self.client,
        )
