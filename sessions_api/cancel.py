"""Cancels the marked sessions at OpenAI, newest first, best effort until they expire (10 minutes at most)."""

import asyncio
import logging
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet, prefetch_related_objects
from django.utils import timezone

from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError
from chatkit_client.transport import Credentials
from sessions_api.claims import claim_rows
from sessions_api.edge import make_transport
from sessions_api.models import LiveSession
from sessions_api.revoke import uncancelled
from tenants.credentials import KeyUnusable, credentials_since
from tenants.upstreams import upstream

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
BATCH: Final = 100
CONCURRENCY: Final = 50
DEADLINE: Final = 4.0
_LONGEST_PAUSE: Final = timedelta(seconds=60)


def cancel_claimed(sessions: QuerySet[LiveSession] | None = None) -> tuple[int, int]:
    """Claims a batch of the marked sessions, newest first, and cancels them at OpenAI; gives how many of each.

    What could not be cancelled is tried again after a pause that doubles, until it expires by itself.
    """
    marked = (uncancelled() if sessions is None else sessions).filter(cancel_requested_at__isnull=False)
    claimed = claim_rows(marked.select_related("key__tenant").order_by("-granted_at"), limit=BATCH, lease=LEASE)
    if not claimed:
        return 0, 0
    prefetch_related_objects(claimed, "key__replaced")
    cancelled = asyncio.run(_cancel_all(_ready(claimed)))
    mine = LiveSession.objects.filter(claim=claimed[0].claim)
    mine.filter(pk__in=cancelled).update(cancelled_at=timezone.now(), claim=None, claimed_until=None)
    for session in claimed:
        if session.pk not in cancelled:
            pause = min(timedelta(seconds=2) * 2**session.attempts, _LONGEST_PAUSE)
            mine.filter(pk=session.pk).update(claim=None, claimed_until=timezone.now() + pause)
    return len(claimed), len(cancelled)


Ready = tuple[LiveSession, str, tuple[Credentials, ...]]


def _ready(sessions: Sequence[LiveSession]) -> list[Ready]:
    """The sessions whose key can be opened and may be sent where its tenant points."""
    ready: list[Ready] = []
    for session in sessions:
        try:
            base_url = upstream(session.key.tenant.upstream).base_url
            ready.append((session, base_url, credentials_since(session.key, session.granted_at)))
        except KeyUnusable as error:
            _warn_of_expiry(session, error.reason)
        except KeyError:
            _warn_of_expiry(session, "upstream_not_allowed")
    return ready


def _warn_of_expiry(session: LiveSession, why: str) -> None:
    logger.warning("a session can't be cancelled, it will expire: %s", why, extra={"session": str(session.pk)})


async def _cancel_all(sessions: Sequence[Ready]) -> set[uuid.UUID]:
    """Gives those that OpenAI has cancelled, or, asked with each key that may have opened them, does not know any more."""
    gate = asyncio.Semaphore(CONCURRENCY)
    async with make_transport(connections=CONCURRENCY) as transport:
        client = ChatKitClient(transport)

        async def one(session: LiveSession, base_url: str, keys: tuple[Credentials, ...]) -> uuid.UUID | None:
            # Another project's key gets “not found” for a session that lives, so only all of them together prove that it is gone.
            is_gone = True
            for credentials in keys:
                try:
                    if await client.cancel_session(base_url, credentials, session.session_id, deadline=DEADLINE):
                        return session.pk
                except (ChatKitError, ValueError) as error:
                    logger.warning("a session was not cancelled: %s", error, extra={"session": str(session.pk)})
                    is_gone = False
            return session.pk if is_gone else None

        async def in_turn(ready: Ready) -> uuid.UUID | None:
            async with gate:
                try:
                    async with asyncio.timeout(DEADLINE):
                        return await one(*ready)
                except TimeoutError:
                    logger.warning("a session was not cancelled in time", extra={"session": str(ready[0].pk)})
                    return None

        done = await asyncio.gather(*(in_turn(ready) for ready in sessions))
    return {pk for pk in done if pk is not None}
