"""Rows for the figures' tests."""

import uuid
from datetime import datetime
from typing import Any

from sessions_api.models import SessionRequest
from tenants.models import ApiKey, Assistant, AssistantKey, Tenant, Verdict


def a_tenant(slug: str = "alder", **fields: Any) -> Tenant:
    return Tenant.objects.create(
        name=slug.title(), slug=slug, public_id=f"tn_{slug:x<28}"[:31], user_scope_token="not opened here", **fields
    )


def a_key(tenant: Tenant, *, label: str = "main", **fields: Any) -> ApiKey:
    return ApiKey.objects.create(
        tenant=tenant, label=label, token="not opened here", last_four="abcd", fingerprint="f" * 16, **fields
    )


def a_request(at: datetime, outcome: str = "granted", **fields: Any) -> SessionRequest:
    return SessionRequest.objects.create(id=uuid.uuid4(), at=at, outcome=outcome, **fields)


def an_assistant(tenant: Tenant, *keys: ApiKey, slug: str = "helper", is_default: bool = True) -> Assistant:
    """With these keys, in this order; their pairs are healthy."""
    assistant = Assistant.objects.create(
        tenant=tenant, name=slug.title(), slug=slug, workflow_id="wf_1", is_default=is_default
    )
    for position, key in enumerate(keys, 1):
        AssistantKey.objects.create(assistant=assistant, key=key, position=position, verdict=Verdict.HEALTHY)
    return assistant
