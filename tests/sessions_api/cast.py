"""A shop: one tenant with one page, one key that the sandbox knows, and one assistant."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from tenants.domains import allow_domain
from tenants.models import ApiKey, Assistant, Tenant
from tests.platform_server import Answer, Platform
from tests.tenants.cast import give_assistant, give_key, register

ORIGIN = "https://shop.example"
WORKFLOW = "wf_1"


@dataclass
class Shop:
    tenant: Tenant
    key: ApiKey
    assistant: Assistant
    key_text: str
    origin: str

    @property
    def public_id(self) -> str:
        return self.tenant.public_id

    def ask(self, platform: Platform, **call: Any) -> Answer:
        """The shop's own page asks for a session."""
        return platform.post_session(self.public_id, origin=call.pop("origin", self.origin), **call)


def open_shop(sandbox: Sandbox, name: str = "Alder", *, origin: str = ORIGIN, **fields: Any) -> Shop:
    key_text = sandbox.add_key(workflows=[WORKFLOW])
    tenant = register(name, **fields)
    key = give_key(tenant, key_text)
    assistant = give_assistant(tenant, key, workflow_id=WORKFLOW, is_default=True)
    allow_domain(tenant=tenant, text=origin, actor=SYSTEM)
    return Shop(tenant, key, assistant, key_text, origin)


def environment_for(sandbox: Sandbox) -> dict[str, str]:
    """One trusted proxy, so that a test may choose an address; and no limit per address, since all share one.

    Nor on new visitors, which most of the callers of these tests are.
    """
    return {
        "OPENAI_BASE_URLS": f"openai={sandbox.base_url}",
        "CHATKIT_JS_URLS": f"openai={sandbox.chatkit_js}",
        "TRUSTED_PROXY_COUNT": "1",
        "SESSIONS_PER_MINUTE_ADDRESS": "100000",
        "NEW_VISITORS_PER_MINUTE_TENANT": "100000",
    }


def someone_elsewhere() -> dict[str, str]:
    """Headers of a visitor whom our one trusted proxy saw at an address of its own."""
    return {"X-Forwarded-For": f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"}


def kill_backends() -> None:
    """Ends every other connection to the test database, as a restart of PostgreSQL does."""
    database = connection.settings_dict
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"] or 5432,
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            [database["NAME"]],
        )
