"""Grants a chat that the platform serves itself: nothing is asked of OpenAI, the secret is a token of our own.

A page never gets a token for a chat that can't answer: something must be published, and a key must be usable.
"""

from gateway.admission import Page, backend_of
from gateway.chat_tokens import MAX_LIFETIME, ChatGrant, mint_chat_token
from gateway.errors import Code, PublicError
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.granted import Granted, record_grant
from sessions_api.identify import Identified
from sessions_api.look_again import changed_meanwhile, look_again
from tenants.snapshot import AssistantSnapshot


async def grant_chat(
    desk: Desk,
    page: Page,
    assistant: AssistantSnapshot,
    identified: Identified,
    attempt: Attempt,
    *,
    user: str,
    lifetime: int,
    now: int,
) -> Granted:
    """`lifetime` in seconds, cut at 600; `now` in epoch seconds. Raises PublicError and VisitorRevoked."""
    tenant = page.tenant
    _require_answers(page, assistant)
    if not desk.gateway.snapshots.is_answering:
        # A session at OpenAI goes on without our database, a chat of our own can't.
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="database_silent")
    grant = ChatGrant(
        assistant_id=assistant.id,
        visitor_ref=attempt.visitor_ref,
        visitor_kind=attempt.visitor_kind,
        origin=page.origin,
        issued_at=now,
        expires_at=now + min(lifetime, MAX_LIFETIME),
        tenant_epoch=tenant.credential_epoch,
        assistant_epoch=assistant.credential_epoch,
        visitor_epoch=tenant.visitor_epoch,
        preview_version=page.preview_version,
    )
    is_checked = await record_grant(desk, tenant, identified, attempt, user=user)
    if not is_checked:
        # Nobody could look whether the visitor was revoked, and this token would be younger than the revocation.
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="database_silent")
    if (found := await look_again(desk, page, assistant)) is not None:
        tenant_now, assistant_now = found
        _require_answers(page, assistant_now)
        epochs = (tenant_now.credential_epoch, assistant_now.credential_epoch)
        if epochs != (grant.tenant_epoch, grant.assistant_epoch):
            raise changed_meanwhile()
    return Granted(
        client_secret=mint_chat_token(grant, tenant_public_id=tenant.public_id),
        expires_at=grant.expires_at,
        backend=backend_of(page, assistant),
        visitor_token=identified.next_token(tenant, now=now, is_checked=is_checked),
    )


def _require_answers(page: Page, assistant: AssistantSnapshot) -> None:
    """Raises PublicError (tenant_misconfigured) with the reason that an operator can act on."""
    if assistant.agent is None and page.preview_version is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="nothing_published")
    if assistant.chat_keys:
        return
    # As for a hosted workflow: what the last key suffers from, of those that might have been tried.
    reason = assistant.keys[-1].problem if assistant.keys else "no_key"
    raise PublicError(Code.TENANT_MISCONFIGURED, reason=reason)
