"""The one way in which rows of an append-only table with retention may go: under a permit, in one transaction."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

from audit.models import PrunePermit


@contextmanager
def prune_permit(table: str, *, tenant_id: uuid.UUID | None, before: datetime) -> Iterator[None]:
    """In this block rows of `table` that are this tenant's and older than `before` may be deleted, and no others.

    Raises RuntimeError outside a transaction: a permit must never be seen by anybody else.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Rows are pruned in the transaction of the event that records it.")
    permit = PrunePermit.objects.create(
        table_name=table, tenant_id=tenant_id, before=before, transaction=_transaction_number()
    )
    yield
    permit.delete()


def _transaction_number() -> int | None:
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid_current()")
        return int(cursor.fetchone()[0])
