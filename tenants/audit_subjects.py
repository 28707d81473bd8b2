"""How audit events name what they are about: by text and by the tenant's id, so that they outlive it."""

from audit.record import Subject
from tenants.models import AllowedDomain, ApiKey, Assistant, AssistantKey, IdentityKey, Tenant

Row = Tenant | ApiKey | Assistant | AssistantKey | AllowedDomain | IdentityKey


def subject_of(row: Row) -> Subject:
    tenant = _tenant_of(row)
    return Subject(
        type=str(row._meta.model_name),
        id=str(row.pk),
        label=str(row),
        tenant_id=tenant.id,
        tenant_name=tenant.name,
    )


def _tenant_of(row: Row) -> Tenant:
    if isinstance(row, Tenant):
        return row
    return row.assistant.tenant if isinstance(row, AssistantKey) else row.tenant
