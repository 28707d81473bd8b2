"""The deed that makes a tenant: its public id and its own secret are given here, once."""

import uuid
from typing import Any

from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from encryption.models import site_secret
from tenants import public_ids
from tenants.audit_subjects import subject_of
from tenants.models import Tenant
from tenants.user_scope import new_user_scope_token


@transaction.atomic
def register_tenant(*, name: str, slug: str, actor: Actor, **fields: Any) -> Tenant:
    """A new, active tenant. `fields` are other fields of the model. Raises ValidationError."""
    tenant = Tenant(name=name, slug=slug, **fields)
    complete_new_tenant(tenant)
    tenant.full_clean()
    tenant.save(force_insert=True)
    given = {"name": name, "slug": slug, "upstream": tenant.upstream}
    record(
        Action.TENANT_CREATED,
        actor=actor,
        subject=subject_of(tenant),
        changes=described(
            ["name", "slug", *fields],
            {field: {"old": None, "new": value} for field, value in given.items()},
            public_id=tenant.public_id,
        ),
    )
    return tenant


def complete_new_tenant(tenant: Tenant) -> None:
    """What no person types: the public id and the sealed secret. For a row that was not saved yet."""
    # Django's inlines take the id from a new parent, but the secret is bound to it before the row is saved.
    tenant.id = tenant.id or uuid.uuid4()
    tenant.public_id = public_ids.mint(site_secret("public_id"))
    tenant.user_scope_token = new_user_scope_token(tenant)
