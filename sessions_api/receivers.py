"""Listens for withdrawn access, inside its transaction."""

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from sessions_api.delete_tenant import plan_deletion
from sessions_api.hints import send_hint
from sessions_api.revoke import request_cancelling
from sessions_api.tasks import delete_tenants, tick
from tenants.models import Tenant, TenantState
from tenants.signals import access_withdrawn


@receiver(access_withdrawn, dispatch_uid="sessions_api.access_withdrawn")
def on_access_withdrawn(
    *, tenant_id: uuid.UUID, key_id: uuid.UUID | None, assistant_id: uuid.UUID | None, **_: Any
) -> None:
    marked = request_cancelling(tenant_id=tenant_id, key_id=key_id, assistant_id=assistant_id)
    dying = Tenant.objects.filter(pk=tenant_id, state=TenantState.DELETING).first()
    if dying is not None:
        plan_deletion(dying)
        transaction.on_commit(partial(send_hint, delete_tenants))
    if marked:
        transaction.on_commit(partial(send_hint, tick))
