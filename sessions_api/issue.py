"""The deed: grant a visitor of an allowed page a ChatKit session, with the tenant's key, and record it.

The page is admitted and the call read (gateway.admission, sessions_api.reading); the decisions here are the rest of the
order: assistant, identity, limits, upstream. Nothing that the client sent reaches the call to OpenAI. The secret is
handed out only after the ledger's row is in the database and after a second look at the configuration.
"""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Model

from audit.changes import printable
from chatkit_client.errors import ChatKitError
from gateway.admission import Page, choose_assistant
from gateway.errors import Code, PublicError
from gateway.fresh_ids import fresh_uuid
from gateway.visitor_tokens import upstream_user, visitor_ref
from sessions_api.attempt import Attempt
from sessions_api.desk import WRITE_SECONDS, Desk
from sessions_api.identify import Identified, identify, release
from sessions_api.limiting import give_back, limit_session
from sessions_api.mint import Minted, mint
from sessions_api.models import LiveSession
from sessions_api.reading import SessionCall
from sessions_api.sightings import Sighting, VisitorRevoked
from sessions_api.visitor_links import link_of
from sessions_api.writer import WriteFailed
from tenants.snapshot import AssistantSnapshot, TenantSnapshot
from tenants.upstreams import UpstreamChoice

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Granted:
    """What the visitor's page gets; `expires_at` in epoch seconds, both strings bearer credentials."""

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


async def issue_session(*, desk: Desk, page: Page, call: SessionCall, attempt: Attempt) -> Granted:
    """A new session, always minted anew. Raises PublicError; `attempt` is filled in for the ledger as far as it came."""
    try:
        return await _issue(desk, page, call, attempt)
    except VisitorRevoked as revoked:
        # Found only when the rows were written. From now on this process knows, so the token names nobody any more.
        desk.revoked.remember(revoked)
        attempt.begin_again()
    try:
        return await _issue(desk, page, call, attempt)
    except VisitorRevoked as revoked:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="visitor_revoked", retry_after=1) from revoked


async def _issue(desk: Desk, page: Page, call: SessionCall, attempt: Attempt) -> Granted:
    """Raises VisitorRevoked as well."""
    tenant = page.tenant
    assistant = choose_assistant(page, call.assistant)
    attempt.assistant_slug = assistant.slug
    if assistant.backend not in call.backends:
        raise PublicError(Code.INTEGRATION_OUTDATED, reason="integration_outdated")
    now = int(time.time())
    is_preview = page.preview_of is not None
    identified = await identify(desk, tenant, call, attempt, now=now, is_preview=is_preview)
    try:
        return await _grant(desk, page, assistant, identified, attempt, now=now)
    except BaseException:
        # Nothing was granted: what was reserved of the quotas is free again, and so is the identity.
        give_back(desk, attempt)
        await release(desk, identified)
        raise


async def _grant(
    desk: Desk, page: Page, assistant: AssistantSnapshot, identified: Identified, attempt: Attempt, *, now: int
) -> Granted:
    tenant = page.tenant
    if tenant.user_scope is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="user_scope_unreadable")
    attempt.visitor_ref = visitor_ref(identified.visitor, tenant.public_id)
    attempt.visitor_kind = identified.visitor.kind.value
    user = upstream_user(tenant.user_scope, tenant.public_id, identified.visitor)
    await limit_session(desk, tenant, identified, attempt)
    if tenant.upstream is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="upstream_not_allowed")
    if assistant.settings is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="assistant_unusable")
    if why := desk.writer.refuses:
        # What can't be recorded is not handed out, so it would be minted only to be cancelled.
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason=why)
    with desk.gateway.bulkhead.room(tenant.id):
        minted = await mint(
            client=desk.client,
            breakers=desk.gateway.breakers,
            retries=desk.gateway.retries,
            upstream=tenant.upstream,
            assistant=assistant,
            session_settings=assistant.settings,
            user=user,
            state_variables=identified.state_variables,
            attempt=attempt,
        )
    try:
        await _look_again(desk, page, assistant, minted)
        is_checked = await _record(desk, tenant, assistant, minted, identified, attempt, user=user)
        # Writing may have taken seconds too; where nothing has changed this is a look into memory.
        await _look_again(desk, page, assistant, minted)
    except BaseException:
        # Whatever stopped it, even the server's end: nobody got the secret, so the session must not live on.
        desk.aside(_cancel(desk, tenant.upstream, minted))
        raise
    return Granted(
        client_secret=minted.created.session.client_secret,
        expires_at=minted.created.session.expires_at,
        backend=assistant.backend,
        visitor_token=identified.next_token(tenant, now=now, is_checked=is_checked),
    )


async def _look_again(desk: Desk, page: Page, assistant: AssistantSnapshot, minted: Minted) -> None:
    """Whether all that the grant rests on still stands: the call to OpenAI may have taken seconds."""
    tenant = await desk.gateway.snapshots.get(page.tenant.public_id)
    if tenant is page.tenant:
        return
    if tenant is None or not tenant.is_active:
        raise PublicError(Code.TENANT_UNKNOWN, reason="withdrawn_meanwhile")
    is_preview = page.preview_of is not None or page.origin == settings.PREVIEW_ORIGIN
    if not is_preview and not tenant.origins.decide(page.origin, now=time.time()):
        raise PublicError(Code.ORIGIN_NOT_ALLOWED, reason="withdrawn_meanwhile")
    now = tenant.assistants.get(assistant.slug)
    if now is None or now.id != assistant.id:
        raise PublicError(Code.ASSISTANT_UNKNOWN, reason="withdrawn_meanwhile")
    if tenant.identity != page.tenant.identity:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="withdrawn_meanwhile", retry_after=1)
    if tenant.visitor_epoch != page.tenant.visitor_epoch or minted.key.id not in {key.id for key in now.keys}:
        # The next attempt goes by the new configuration.
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="withdrawn_meanwhile", retry_after=1)


async def _record(
    desk: Desk,
    tenant: TenantSnapshot,
    assistant: AssistantSnapshot,
    minted: Minted,
    identified: Identified,
    attempt: Attempt,
    *,
    user: str,
) -> bool:
    """With the row that leads from `user`, the visitor's name at OpenAI, to ours, where none stands yet.

    Whether revocations could be looked up: False while the rows went to the spool. Raises PublicError and VisitorRevoked.
    """
    session = minted.created.session
    live = LiveSession(
        id=fresh_uuid(),
        session_id=session.id,
        tenant_id=tenant.id,
        key_id=minted.key.id,
        assistant_id=assistant.id,
        visitor_ref=attempt.visitor_ref,
        origin=attempt.origin,
        granted_at=attempt.at,
        expires_at=datetime.fromtimestamp(session.expires_at, UTC),
    )
    rows: list[Model] = [attempt.row(outcome="granted"), live]
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


async def _cancel(desk: Desk, upstream: UpstreamChoice, minted: Minted) -> None:
    session_id = minted.created.session.id
    try:
        await desk.client.cancel_session(upstream.base_url, minted.credentials, session_id)
    except (ChatKitError, ValueError) as error:
        logger.warning("A session that was not handed out could not be cancelled; it expires unused (%s)", error)
    except asyncio.CancelledError:
        logger.warning("The server ended before session %s was cancelled; it expires unused", printable(session_id))
        raise
