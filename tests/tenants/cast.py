"""The recurring cast: Alder and Birch, two tenants made by the deeds, and keys that are built at run time."""

import secrets
from typing import Any

from audit.record import SYSTEM
from encryption.secret import Secret
from tenants.assistants import add_assistant, let_assistant_use_key
from tenants.keys import add_key
from tenants.models import AgentVersion, ApiKey, Assistant, Tenant
from tenants.models.assistant import Backend
from tenants.registration import register_tenant
from tenants.versions import publish, save_draft


def key_text(kind: str = "proj") -> str:
    return "sk-" + f"{kind}-" + secrets.token_hex(20)


def register(name: str = "Alder", **fields: Any) -> Tenant:
    return register_tenant(name=name, slug=fields.pop("slug", name.lower()), actor=SYSTEM, **fields)


def give_key(tenant: Tenant, text: str = "", label: str = "production") -> ApiKey:
    return add_key(tenant=tenant, label=label, plaintext=Secret(text or key_text()), actor=SYSTEM)


def give_assistant(tenant: Tenant, *keys: ApiKey, slug: str = "help", **fields: Any) -> Assistant:
    assistant = add_assistant(
        tenant=tenant,
        name=slug.title(),
        slug=slug,
        workflow_id=fields.pop("workflow_id", "wf_1"),
        actor=SYSTEM,
        **fields,
    )
    for position, key in enumerate(keys, start=1):
        let_assistant_use_key(assistant=assistant, key=key, actor=SYSTEM, position=position)
    return assistant


def give_version(assistant: Assistant, **values: Any) -> AgentVersion:
    """A published version of what the platform serves."""
    content = {"instructions": "You help customers of a shop.", "model": "gpt-sandbox", **values}
    save_draft(assistant=assistant, values=content, actor=SYSTEM)
    return publish(assistant=assistant, actor=SYSTEM)


def give_chat(tenant: Tenant, *keys: ApiKey, slug: str = "chat", **fields: Any) -> Assistant:
    """An assistant that the platform serves, with its first version."""
    assistant = give_assistant(tenant, *keys, slug=slug, workflow_id="", backend=Backend.PLATFORM, **fields)
    give_version(assistant)
    assistant.refresh_from_db()
    return assistant
