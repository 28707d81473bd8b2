"""Rows of the ledger of runs, as a test needs them."""

import uuid
from datetime import datetime
from typing import Any

from django.utils import timezone

from chat_server.models import ChatRun
from tenants.models import Tenant


def a_run(tenant: Tenant | None, outcome: str = "answered", *, at: datetime | None = None, **fields: Any) -> ChatRun:
    """100 tokens in, of which 40 cached, and 20 out, for a tenth of a cent."""
    given: dict[str, Any] = {
        "tenant_id": None if tenant is None else tenant.pk,
        "assistant_slug": "help",
        "agent_version": 3,
        "visitor_ref": "v" * 32,
        "origin": "https://shop.example",
        "operation": "threads.create",
        "model": "gpt-sandbox",
        "turns": 1,
        "input_tokens": 100,
        "cached_tokens": 40,
        "output_tokens": 20,
        "cost_microdollars": 1000,
        "first_ms": 300,
        "latency_ms": 900,
        "request_id": uuid.uuid4().hex,
    }
    return ChatRun.objects.create(id=uuid.uuid4(), at=at or timezone.now(), outcome=outcome, **{**given, **fields})
