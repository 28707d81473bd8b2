"""The deed: grant a visitor of an allowed page a ChatKit session, with the tenant's key, and record it.

The page is admitted and the call read (gateway.admission, sessions_api.reading); the decisions here are the rest of the
order: assistant, identity, limits, upstream (or, where the platform itself answers, a token of our own: chat_grant.py).
Nothing that the client sent reaches the call to OpenAI. The secret is handed out only after the ledger's row is in the
database and after a second look at the configuration.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime

from audit.changes import printable
from chatkit_client.errors import ChatKitError
from gateway.admission import Page, backend_of, choose_assistant
from gateway.errors import Code, PublicError
from gateway.fresh_ids import fresh_uuid
from gateway.visitor_tokens import upstream_user, visitor_ref
from sessions_api.attempt import Attempt
from sessions_api.chat_grant import grant_chat
from sessions_api.desk import Desk
from sessions_api.granted import Granted, record_grant
from sessions_api.identify import Identified, identify, release
from sessions_api.limiting import give_back, limit_session
from sessions_api.look_again import changed_meanwhile, look_again
from sessions_api.mint import Minted, mint
from sessions_api.models import LiveSession
from sessions_api.reading import SessionCall
from sessions_api.sightings import VisitorRevoked
from tenants.models.assistant import Backend
from tenants.snapshot import AssistantSnapshot, TenantSnapshot
from tenants.upstreams import UpstreamChoice

logger = logging.getLogger(__name__)


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
    if backend_of(page, assistant) not in call.backends:
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
    if backend_of(page, assistant) == Backend.PLATFORM:
        lifetime = assistant.settings.expires_after
        return await grant_chat(desk, page, assistant, identified, attempt, user=user, lifetime=lifetime, now=now)
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
        live = _live(tenant, assistant, minted, attempt)
        is_checked = await record_grant(desk, tenant, identified, attempt, live, user=user)
        # Writing may have taken seconds too.
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
    """With the key that was used. Raises PublicError."""
    found = await look_again(desk, page, assistant)
    if found is not None and minted.key.id not in {key.id for key in found[1].keys}:
        raise changed_meanwhile()


def _live(tenant: TenantSnapshot, assistant: AssistantSnapshot, minted: Minted, attempt: Attempt) -> LiveSession:
    session = minted.created.session
    return LiveSession(
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


async def _cancel(desk: Desk, upstream: UpstreamChoice, minted: Minted) -> None:
    session_id = minted.created.session.id
    try:
        await desk.client.cancel_session(upstream.base_url, minted.credentials, session_id)
    except (ChatKitError, ValueError) as error:
        logger.warning("A session that was not handed out could not be cancelled; it expires unused (%s)", error)
    except asyncio.CancelledError:
        logger.warning("The server ended before session %s was cancelled; it expires unused", printable(session_id))
        raise
