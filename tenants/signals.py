"""What `tenants` announces, inside the transaction of the change; upper rooms listen."""

from django.dispatch import Signal

# A key or an assistant's pairing of it was added or replaced: it wants a check. Arguments: key_id (UUID).
key_changed = Signal()

# Access was withdrawn: live sessions concerned are to be cancelled. Arguments: tenant_id (UUID), key_id (UUID or None),
# assistant_id (UUID or None), reason (str).
access_withdrawn = Signal()
