"""What `tenants` announces, inside the transaction of the change and before its `record()`; upper rooms listen."""

from django.dispatch import Signal

# A key, an assistant's pairing of it, or the workflow that it is used with was added or replaced: all checks of the key are
# wanted. Arguments: key_id (UUID).
key_changed = Signal()

# Access was withdrawn: live sessions concerned are to be cancelled. Arguments: tenant_id (UUID), key_id (UUID or None),
# assistant_id (UUID or None), reason (str); a key and an assistant together are the pair of them.
access_withdrawn = Signal()

# Whom a tenant's signing key vouched for counts no more: live sessions of its known visitors are to be cancelled.
# Arguments: tenant_id (UUID).
identity_withdrawn = Signal()

# A tenant's list of websites was changed, and some that stood on it may stand there no longer. Arguments: tenant_id (UUID).
origins_changed = Signal()
