"""Who calls: the page's origin, the chat token, and what the token still grants. In memory, but for a preview of one version."""

import re
import time
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from chat_server.serving.desk import DATABASE_SECONDS, ChatDesk
from chat_server.serving.rights import require_right
from gateway.admission import decide_origin
from gateway.chat_tokens import ChatGrant, read_chat_token
from gateway.errors import Code, PublicError
from gateway.lean import LeanRequest
from tenants.agents import AgentSnapshot, load_agent_version
from tenants.snapshot import AssistantSnapshot, TenantSnapshot

_BEARER: Final = re.compile(r"[Bb]earer +(\S+)")


@dataclass(frozen=True, slots=True)
class Caller:
    grant: ChatGrant
    assistant: AssistantSnapshot
    agent: AgentSnapshot


def page_origin(tenant: TenantSnapshot, request: LeanRequest) -> str:
    """Raises PublicError (origin_…).

    Our preview stands on no list. Its ticket was shown for the token, which names this origin, and lives shorter than a talk.
    """
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin and origin == settings.PREVIEW_ORIGIN and request.META.get("HTTP_SEC_FETCH_SITE") != "none":
        return str(origin)
    return decide_origin(tenant, request).origin


def read_grant(request: LeanRequest, tenant: TenantSnapshot, *, origin: str) -> ChatGrant:
    """Raises PublicError (token_invalid): forged, expired, of another tenant, or handed out to another page."""
    given = _BEARER.fullmatch(request.META.get("HTTP_AUTHORIZATION", ""))
    if given is None:
        raise PublicError(Code.TOKEN_INVALID, reason="no_chat_token")
    grant = read_chat_token(given[1], tenant_public_id=tenant.public_id, now=int(time.time()))
    if grant is None:
        raise PublicError(Code.TOKEN_INVALID, reason="chat_token_invalid")
    if grant.origin != origin:
        raise PublicError(Code.TOKEN_INVALID, reason="chat_token_of_another_page")
    return grant


async def identify_caller(desk: ChatDesk, tenant: TenantSnapshot, grant: ChatGrant, *, needs_key: bool) -> Caller:
    """Raises PublicError where the grant stands no more, or nothing is published."""
    assistant = require_right(tenant, grant, desk.revocations, needs_key=needs_key)
    tried = grant.preview_version
    agent = assistant.agent if tried is None else await _version(desk, assistant, tried)
    if agent is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="nothing_published")
    return Caller(grant, assistant, agent)


async def _version(desk: ChatDesk, assistant: AssistantSnapshot, version_id: uuid.UUID) -> AgentSnapshot | None:
    """Read anew for each message: what is tried is being changed."""
    read = partial(load_agent_version, assistant.id, version_id)
    try:
        return await desk.threads.run(read, seconds=DATABASE_SECONDS)
    except (DatabaseError, InterfaceError, TimeoutError) as failure:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="database_silent") from failure
