"""The deeds on a tenant's state. Each is effective in every process within two seconds, by the epoch."""

from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.audit_subjects import subject_of
from tenants.models import Tenant, TenantState
from tenants.signals import access_withdrawn


class StateRefused(Exception):
    """The tenant's state does not allow this; the message says what does."""


@transaction.atomic
def suspend_tenant(*, tenant: Tenant, actor: Actor) -> Tenant:
    """Stops new sessions and has live ones cancelled. A tenant that is suspended already stays so, without another event."""
    return _move(
        tenant,
        TenantState.SUSPENDED,
        Action.TENANT_SUSPENDED,
        actor,
        withdrawn="tenant_suspended",
        refuse=_REFUSE_DELETING,
    )


@transaction.atomic
def resume_tenant(*, tenant: Tenant, actor: Actor) -> Tenant:
    """Lets sessions be opened again."""
    return _move(tenant, TenantState.ACTIVE, Action.TENANT_RESUMED, actor, withdrawn="", refuse=_REFUSE_DELETING)


@transaction.atomic
def start_deletion(*, tenant: Tenant, actor: Actor) -> Tenant:
    """The first step of taking a tenant apart: no way back. sessions_api does the others, in their order."""
    return _move(
        tenant,
        TenantState.DELETING,
        Action.TENANT_DELETION_STARTED,
        actor,
        withdrawn="tenant_deleted",
        refuse=frozenset(),
    )


_REFUSE_DELETING = frozenset({TenantState.DELETING})


def _move(
    tenant: Tenant, state: TenantState, action: Action, actor: Actor, *, withdrawn: str, refuse: frozenset[TenantState]
) -> Tenant:
    tenant = Tenant.objects.lock(tenant.pk)
    if tenant.state in refuse:
        raise StateRefused(f"{tenant.name} is being deleted, which can't be undone. Register the tenant anew.")
    if tenant.state == state:
        return tenant
    before, tenant.state = tenant.state, state
    tenant.save(update_fields=["state", "updated_at"])
    if withdrawn:
        access_withdrawn.send(sender=Tenant, tenant_id=tenant.id, key_id=None, assistant_id=None, reason=withdrawn)
    record(
        action,
        actor=actor,
        subject=subject_of(tenant),
        changes=described(["state"], {"state": {"old": before, "new": str(state)}}),
    )
    return tenant
