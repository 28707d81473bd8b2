"""Inserts rows of one table as fast as the database takes them: COPY on PostgreSQL, one multi-row INSERT elsewhere.

COPY is checked like any INSERT (types, lengths, keys, constraints), and fails as a whole. It costs a sixth of what
`bulk_create` does, which compiles its statement anew for every flush; at the session endpoint that was a quarter of all
work (bench/README.md).
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Model


def insert_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model that carry all their values, ids included. Raises django.db.Error."""
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows)
        return
    statement, values_of = _copy_into(model)
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(values_of(row))


@lru_cache
def _copy_into(model: type[Model]) -> tuple[str, Any]:
    """The statement, which holds names of our own models only, and what takes a row's values in its order."""
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    return f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN", attrgetter(*(field.attname for field in fields))
