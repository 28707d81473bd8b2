"""What a visitor's page gets, whichever backend it is for; and the rows that must stand before it gets it."""

import time
from dataclasses import dataclass, field

from django.db.models import Model

from gateway.errors import Code, PublicError
from sessions_api.attempt import Attempt
from sessions_api.desk import WRITE_SECONDS, Desk
from sessions_api.identify import Identified
from sessions_api.sightings import Sighting
from sessions_api.visitor_links import link_of
from sessions_api.writer import WriteFailed
from tenants.snapshot import TenantSnapshot


@dataclass(frozen=True, slots=True)
class Granted:
    """`expires_at` in epoch seconds, both strings bearer credentials."""

    client_secret: str = field(repr=False)
    expires_at: int
    backend: str
    visitor_token: str = field(repr=False)

    def answer(self) -> dict[str, str | int]:
        return {
            "client_secret": self.client_secret,
            "expires_at": self.expires_at,
            "expires_in": max(0, self.expires_at - int(time.time())),
            "backend": self.backend,
            "visitor_token": self.visitor_token,
        }


async def record_grant(
    desk: Desk, tenant: TenantSnapshot, identified: Identified, attempt: Attempt, *more: Model, user: str
) -> bool:
    """The ledger's row, `more`, and the row that leads from `user`, the visitor's name at OpenAI, to ours, where none stands yet.

    Whether revocations could be looked up: False while the rows went to the spool. Raises PublicError and VisitorRevoked.
    """
    rows: list[Model] = [attempt.row(outcome="granted"), *more]
    if not identified.is_linked:
        rows.append(
            link_of(identified.visitor, tenant_id=tenant.id, public_id=tenant.public_id, user=user, at=attempt.at)
        )
    issued_at = identified.token_issued_at
    sighting = None if issued_at is None else Sighting(attempt.visitor_ref, issued_at)
    try:
        return await desk.writer.write(*rows, seconds=WRITE_SECONDS, unless_revoked=sighting)
    except WriteFailed as failure:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="not_recorded") from failure
