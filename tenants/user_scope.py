"""Each tenant's secret from which its visitors' `user` at OpenAI is derived; never rotated, or all would lose their history."""

import secrets
from typing import Final

from encryption.secret import Secret
from encryption.vault import Binding, open_token, seal
from tenants.models import Tenant

PURPOSE: Final = "user_scope"


def user_scope_binding(tenant: Tenant) -> Binding:
    return Binding(owner=tenant.id, purpose=PURPOSE, row=tenant.id)


def new_user_scope_token(tenant: Tenant) -> str:
    """256 random bits, sealed for this tenant."""
    return seal(secrets.token_urlsafe(32), user_scope_binding(tenant))


def open_user_scope(tenant: Tenant) -> Secret:
    """Raises SecretError for a token that was altered or moved from another tenant."""
    return open_token(tenant.user_scope_token, user_scope_binding(tenant))
