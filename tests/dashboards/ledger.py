"""Rows for the figures' tests."""

import uuid
from datetime import datetime
from typing import Any

from sessions_api.models import SessionRequest
from tenants.models import ApiKey, Tenant


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
