"""Sessions and threads as visitors leave them: at the sandbox, and the row that the platform keeps."""

import asyncio
import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from chatkit_client.calls import SessionSettings
from chatkit_client.client import ChatKitClient, Created
from chatkit_client.transport import Credentials, Transport
from encryption.secret import Secret
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession
from tests.key_health.cast import Customer


def open_session(
    sandbox: Sandbox, customer: Customer, *, visitor: str = "somebody", granted_at: datetime | None = None
) -> LiveSession:
    created = mint(sandbox, customer, user=f"v1.{customer.tenant.public_id}.{visitor}")
    return LiveSession.objects.create(
        session_id=created.session.id,
        tenant=customer.tenant,
        key=customer.key,
        assistant_id=customer.assistant.pk,
        visitor_ref=uuid.uuid4().hex,
        granted_at=granted_at or timezone.now(),
        expires_at=timezone.now() + timedelta(minutes=10),
    )


def chat(sandbox: Sandbox, customer: Customer, *, user: str, times: int = 1) -> None:
    """A visitor says something, so that as many threads stand at OpenAI."""
    client_secret = mint(sandbox, customer, user=user).session.client_secret
    for _ in range(times):
        sandbox.say(client_secret, "Hello")


def mint(sandbox: Sandbox, customer: Customer, *, user: str) -> Created:
    async def create() -> Created:
        async with Transport(allowed_base_urls=[sandbox.base_url]) as transport:
            return await ChatKitClient(transport).create_session(
                sandbox.base_url,
                Credentials(Secret(customer.secret)),
                user=user,
                settings=SessionSettings(workflow_id=customer.workflow_id),
            )

    return asyncio.run(create())
