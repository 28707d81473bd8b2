"""The public configuration of an assistant: an allow-list of fields, nothing else ever leaves."""

import time
from typing import Any, Final

from django.conf import settings

from gateway.admission import Page, backend_of
from gateway.errors import Code, PublicError
from tenants.agents import AgentSnapshot
from tenants.file_types import EXTENSIONS
from tenants.models.assistant import Backend
from tenants.snapshot import AssistantSnapshot
from widget.embed import embed_scripts

# What OpenAI's guides tell developers to pass where no key is needed: on loopback it is not looked at.
NO_DOMAIN_KEY: Final = "local-dev"


def public_configuration(
    page: Page, assistant: AssistantSnapshot, *, tried: AgentSnapshot | None = None
) -> dict[str, Any]:
    """What the embed script draws the chat from (docs/embedding.md); raises PublicError (tenant_misconfigured).

    `tried` is the version that a preview tries in place of the published one.
    """
    tenant, look, session = page.tenant, assistant.appearance, assistant.settings
    if tenant.upstream is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="upstream_not_allowed")
    if session is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="assistant_unusable")
    agent = tried or assistant.agent
    return {
        "tenant": tenant.public_id,
        "assistant": assistant.slug,
        "name": assistant.name,
        "backend": backend_of(page, assistant),
        "chat": _chat(page, assistant),
        "client_tools": [tool["name"] for tool in agent.client_tools] if agent else [],
        "chatkit_js": tenant.upstream.chatkit_js,
        "appearance": {
            "greeting": look.greeting,
            "prompts": [{"label": prompt["label"], "prompt": prompt["prompt"]} for prompt in look.prompts],
            "placeholder": look.placeholder,
            "color_scheme": look.color_scheme,
            "accent": look.accent,
            "launcher_side": look.launcher_side,
            "launcher_label": look.launcher_label,
        },
        "history": session.history_enabled,
        "attachments": {
            "enabled": session.file_upload_enabled,
            "max_files": session.max_files,
            "max_size_mb": session.max_file_size_mb,
            "accept": _accept(page, assistant),
        },
        "limit_text": tenant.chat.text,
        "fallback": {"text": tenant.fallback_text, "url": tenant.fallback_url},
        "embed_version": embed_scripts().current.version,
    }


def _accept(page: Page, assistant: AssistantSnapshot) -> dict[str, list[str]]:
    """Types of files, each with its names' ends; none where OpenAI decides what its hosted chat takes."""
    if backend_of(page, assistant) != Backend.PLATFORM:
        return {}
    return {each: list(EXTENSIONS[each]) for each in assistant.accepted_file_types}


def _chat(page: Page, assistant: AssistantSnapshot) -> dict[str, str] | None:
    """Where the platform itself answers, and the key of OpenAI's list for this website; None for a hosted assistant."""
    if backend_of(page, assistant) != Backend.PLATFORM:
        return None
    return {
        "url": f"{settings.PLATFORM_URL}/api/v1/tenants/{page.tenant.public_id}/chatkit/",
        "domain_key": page.tenant.domain_key(page.origin, now=time.time()) or NO_DOMAIN_KEY,
    }
