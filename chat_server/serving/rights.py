"""Whether what a chat token grants still stands: looked at on each request, and twice a second while an answer comes."""

import time

from django.conf import settings

from chat_server.serving.revocations import Revocations
from gateway.chat_tokens import ChatGrant
from gateway.errors import Code, PublicError
from tenants.models.assistant import Backend
from tenants.snapshot import AssistantSnapshot, TenantSnapshot


def require_right(
    tenant: TenantSnapshot, grant: ChatGrant, revocations: Revocations, *, needs_key: bool
) -> AssistantSnapshot:
    """The assistant of the grant. Raises PublicError, whose reason says what was withdrawn.

    A token that expires while an answer comes does not cut it off; one that was withdrawn does.
    """
    if not tenant.is_active:
        raise PublicError(Code.TENANT_UNKNOWN, reason=f"tenant_{tenant.state}")
    assistant = tenant.assistant_by_id(grant.assistant_id)
    if assistant is None:
        raise PublicError(Code.ASSISTANT_UNKNOWN, reason="assistant_gone")
    is_preview = grant.origin == settings.PREVIEW_ORIGIN
    # A version is tried before the assistant is switched, too.
    if assistant.backend != Backend.PLATFORM and grant.preview_version is None:
        raise PublicError(Code.INTEGRATION_OUTDATED, reason="backend_switched")
    if tenant.credential_epoch != grant.tenant_epoch:
        raise PublicError(Code.TOKEN_INVALID, reason="tenant_epoch")
    if assistant.credential_epoch != grant.assistant_epoch:
        raise PublicError(Code.TOKEN_INVALID, reason="assistant_epoch")
    if tenant.visitor_epoch != grant.visitor_epoch:
        raise PublicError(Code.TOKEN_INVALID, reason="visitor_epoch")
    if revocations.name(grant):
        raise PublicError(Code.TOKEN_INVALID, reason="visitor_revoked")
    if not is_preview and not tenant.origins.decide(grant.origin, now=time.time()):
        raise PublicError(Code.ORIGIN_NOT_ALLOWED, reason="withdrawn_meanwhile")
    if needs_key and not assistant.chat_keys:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason=assistant.keys[-1].problem if assistant.keys else "no_key")
    return assistant
