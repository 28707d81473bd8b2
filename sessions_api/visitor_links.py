"""The pseudonym of a known visitor: looked up by its name at OpenAI, or made and written down, once for all processes."""

import logging
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, InterfaceError

from gateway.database_threads import DatabaseThreads
from gateway.visitor_tokens import PSEUDONYM_BYTES, Visitor, upstream_user, visitor_ref
from sessions_api.models import VisitorLink
from tenants.snapshot import TenantSnapshot

logger = logging.getLogger(__name__)

# A visitor waits no longer for it; without an answer the session goes on under a fresh pseudonym.
LOOKUP_SECONDS: Final = 1.0
THREADS: Final = 2
# When a visitor was first seen whom a limit has refused so far: the row keeps its pseudonym, and it is somebody new next time.
NOT_YET: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Linked:
    """`is_new`: nobody has let this visitor in before. `is_written`: the row stands, so nobody has to write it any more."""

    pseudonym: bytes = field(repr=False)
    is_new: bool
    is_written: bool


class VisitorLinks:
    """Keeps nothing in memory: erasing a visitor deletes the row, and must be effective everywhere at once."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads("visitor-links", size=THREADS)

    async def pseudonym_of(self, tenant: TenantSnapshot, subject: str, *, at: datetime, is_answering: bool) -> Linked:
        """Raises nothing: while the database is silent nobody can know a pseudonym, and a fresh one is used.

        That one is written with the rows of the session, unless another stands there by then. Such a session's rows then lead
        to nobody, which is the safe side.
        """
        fresh = secrets.token_bytes(PSEUDONYM_BYTES)
        if not is_answering or tenant.user_scope is None:
            return Linked(fresh, is_new=True, is_written=False)
        visitor = Visitor.known(subject, pseudonym=fresh)
        user = upstream_user(tenant.user_scope, tenant.public_id, visitor)
        link = link_of(visitor, tenant_id=tenant.id, public_id=tenant.public_id, user=user, at=at)
        try:
            return await self._threads.run(lambda: _read_or_write(link), seconds=LOOKUP_SECONDS)
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            logger.warning(
                "A visitor's pseudonym could not be looked up (%s): a fresh one is used", type(error).__name__
            )
            return Linked(fresh, is_new=True, is_written=False)

    async def refused(self, tenant_id: uuid.UUID, ref: str) -> None:
        """A limit refused this new visitor, who stays a new one: else whoever just tries again would pass by that limit."""
        found = VisitorLink.objects.filter(tenant=tenant_id, ref=ref)
        try:
            await self._threads.run(lambda: found.update(first_seen_at=NOT_YET), seconds=LOOKUP_SECONDS)
        except (DatabaseError, InterfaceError, TimeoutError) as error:
            logger.warning("A new visitor who was refused counts as known next time (%s)", type(error).__name__)

    def close(self, *, seconds: float) -> None:
        self._threads.close(seconds=seconds)


def link_of(visitor: Visitor, *, tenant_id: uuid.UUID, public_id: str, user: str, at: datetime) -> VisitorLink:
    """The row that leads from a visitor's name at OpenAI to its name in the ledger."""
    return VisitorLink(
        user=user,
        tenant_id=tenant_id,
        ref=visitor_ref(visitor, public_id),
        pseudonym=visitor.pseudonym.hex(),
        first_seen_at=at,
    )


def _read_or_write(link: VisitorLink) -> Linked:
    """What stands there counts; processes that write at the same moment all read the one that came first."""
    stored = _stored(link.user)
    if stored:
        # Of several at once one is the new one.
        unseen = VisitorLink.objects.filter(pk=link.user, first_seen_at=NOT_YET)
        is_new = stored[1] == NOT_YET and unseen.update(first_seen_at=link.first_seen_at) == 1
        return Linked(stored[0], is_new=is_new, is_written=True)
    VisitorLink.objects.bulk_create([link], ignore_conflicts=True)
    stored = _stored(link.user)
    # Nothing there: it was erased in this very moment, and this session begins anew.
    if stored is None:
        return Linked(bytes.fromhex(link.pseudonym), is_new=False, is_written=False)
    return Linked(stored[0], is_new=stored[0].hex() == link.pseudonym, is_written=True)


def _stored(user: str) -> tuple[bytes, datetime] | None:
    """The pseudonym and when the visitor was first seen; None where no row names a pseudonym."""
    row = VisitorLink.objects.filter(pk=user).exclude(pseudonym="").values_list("pseudonym", "first_seen_at").first()
    return None if row is None else (bytes.fromhex(row[0]), row[1])
