"""Listens for withdrawn access, inside its transaction."""

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import receiver

from sessions_api.delete_tenant import plan_deletion
from sessions_api.hints import send_hint
from sessions_api.revoke import CancelReason, Which, request_cancelling, request_disallowed
from sessions_api.tasks import delete_tenants, tick
from tenants.models import Tenant, TenantState
from tenants.signals import access_withdrawn, identity_withdrawn, origins_changed


@receiver(access_withdrawn, dispatch_uid="sessions_api.access_withdrawn")
def on_access_withdrawn(
    *, tenant_id: uuid.UUID, key_id: uuid.UUID | None, assistant_id: uuid.UUID | None, reason: str, **_: Any
) -> None:
    marked = request_cancelling(Which(tenant_id, key_id=key_id, assistant_id=assistant_id), reason=reason)
    dying = Tenant.objects.filter(pk=tenant_id, state=TenantState.DELETING).first()
    if dying is not None:
        plan_deletion(dying)
        transaction.on_commit(partial(send_hint, delete_tenants))
    if marked:
        transaction.on_commit(partial(send_hint, tick))


@receiver(identity_withdrawn, dispatch_uid="sessions_api.identity_withdrawn")
def on_identity_withdrawn(*, tenant_id: uuid.UUID, **_: Any) -> None:
    if request_cancelling(Which(tenant_id, is_known=True), reason=CancelReason.IDENTITY_RETIRED):
        transaction.on_commit(partial(send_hint, tick))


@receiver(origins_changed, dispatch_uid="sessions_api.origins_changed")
def on_origins_changed(*, tenant_id: uuid.UUID, **_: Any) -> None:
    if request_disallowed(tenant_id):
        transaction.on_commit(partial(send_hint, tick))
