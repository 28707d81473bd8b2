"""Whether all that a grant rests on still stands: the call to OpenAI, or writing the rows, may have taken seconds."""

import time

from django.conf import settings

from gateway.admission import Page, backend_of
from gateway.errors import Code, PublicError
from sessions_api.desk import Desk
from tenants.snapshot import AssistantSnapshot, TenantSnapshot


async def look_again(
    desk: Desk, page: Page, assistant: AssistantSnapshot
) -> tuple[TenantSnapshot, AssistantSnapshot] | None:
    """Both as they are now, None where nothing at all has changed; raises PublicError where the grant has no ground any more.

    Where nothing has changed this is a look into memory.
    """
    tenant = await desk.gateway.snapshots.get(page.tenant.public_id)
    if tenant is page.tenant:
        return None
    if tenant is None or not tenant.is_active:
        raise PublicError(Code.TENANT_UNKNOWN, reason="withdrawn_meanwhile")
    is_preview = page.preview_of is not None or page.origin == settings.PREVIEW_ORIGIN
    if not is_preview and not tenant.origins.decide(page.origin, now=time.time()):
        raise PublicError(Code.ORIGIN_NOT_ALLOWED, reason="withdrawn_meanwhile")
    now = tenant.assistants.get(assistant.slug)
    if now is None or now.id != assistant.id:
        raise PublicError(Code.ASSISTANT_UNKNOWN, reason="withdrawn_meanwhile")
    if (
        tenant.identity != page.tenant.identity
        or tenant.visitor_epoch != page.tenant.visitor_epoch
        or backend_of(page, now) != backend_of(page, assistant)
    ):
        raise changed_meanwhile()
    return tenant, now


def changed_meanwhile() -> PublicError:
    """The next attempt goes by the new configuration."""
    return PublicError(Code.PLATFORM_UNAVAILABLE, reason="withdrawn_meanwhile", retry_after=1)
