"""What `sessions_api` announces to the rooms above it: whose data is to go. Listeners delete theirs and say how much that was.

Each is sent again and again, in a transaction of its own that also notes the counts, until no listener has anything left; so a
listener deletes at most `most` of its things at once, and answers `{"threads": n, …}` of what it deleted, `{}` at the end.
"""

from collections import Counter
from typing import Any, Final
from uuid import UUID

from django.dispatch import Signal

# Arguments: tenant_id (UUID), visitor_ref (str), most (int).
visitor_erasing = Signal()

# Arguments: tenant_id (UUID), most (int).
tenant_deleting = Signal()

MOST: Final = 100


def delete_of_visitor(tenant_id: UUID, visitor_ref: str) -> Counter[str]:
    """One step. What listeners deleted of this visitor; empty when nothing is left."""
    return _gathered(visitor_erasing.send(sender=None, tenant_id=tenant_id, visitor_ref=visitor_ref, most=MOST))


def delete_of_tenant(tenant_id: UUID) -> Counter[str]:
    """One step. What listeners deleted of this tenant; empty when nothing is left."""
    return _gathered(tenant_deleting.send(sender=None, tenant_id=tenant_id, most=MOST))


def _gathered(answers: list[tuple[Any, Any]]) -> Counter[str]:
    gathered: Counter[str] = Counter()
    for _, counts in answers:
        gathered.update(counts)
    return +gathered
