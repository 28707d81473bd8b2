"""The public configuration of an assistant: an allow-list of fields, nothing else ever leaves."""

from typing import Any

from gateway.admission import Page
from gateway.errors import Code, PublicError
from tenants.models.assistant import Backend
from tenants.snapshot import AssistantSnapshot
from widget.embed import embed_scripts


def public_configuration(page: Page, assistant: AssistantSnapshot) -> dict[str, Any]:
    """What the embed script draws the chat from (docs/embedding.md); raises PublicError (tenant_misconfigured)."""
    tenant, look, session = page.tenant, assistant.appearance, assistant.settings
    if tenant.upstream is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="upstream_not_allowed")
    if session is None:
        raise PublicError(Code.TENANT_MISCONFIGURED, reason="assistant_unusable")
    return {
        "tenant": tenant.public_id,
        "assistant": assistant.slug,
        "name": assistant.name,
        "backend": str(Backend(assistant.backend).value),
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
        },
        "fallback": {"text": tenant.fallback_text, "url": tenant.fallback_url},
        "embed_version": embed_scripts().current.version,
    }
