"""Inserts the rows of several models together or not at all, as fast as the database takes them.

On PostgreSQL it is one statement, and so one round trip and one transaction: the rows travel as JSON text, which the
server unfolds with `json_to_recordset`, and each model is an INSERT of its own in one WITH. The types are the columns'
own, so what does not fit is refused as by any INSERT. Elsewhere it is `bulk_create` in a transaction, which does the
same at several times the cost: it compiles its statements anew each time (bench/README.md has the figures).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

RowsByModel = Mapping[type[Model], Sequence[Model]]
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


def insert_together(rows: RowsByModel, *, may_be_there: Collection[type[Model]] = ()) -> None:
    """Insert rows that carry all their values, ids included; of some models those are passed over that are there already.

    Raises django.db.Error.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        statement = _statement(tuple((model, model in may_be_there) for model in rows))
        with connection.cursor() as cursor:
            cursor.execute(statement, [_as_json(model, of_model) for model, of_model in rows.items()])
        return
    with transaction.atomic():
        for model, of_model in rows.items():
            model._default_manager.bulk_create(of_model, ignore_conflicts=model in may_be_there)


@lru_cache
def _statement(models: tuple[tuple[type[Model], bool], ...]) -> str:
    """Its names and types are those of our own models; nothing else goes into its text."""
    inserts = [
        f"inserted_{number} AS ({_insert(model)}{' ON CONFLICT DO NOTHING' if may_be_there else ''})"
        for number, (model, may_be_there) in enumerate(models)
    ]
    return f"WITH {', '.join(inserts)} SELECT 1"


def _insert(model: type[Model]) -> str:
    quote = connection.ops.quote_name
    fields = model._meta.concrete_fields
    columns = ", ".join(quote(str(field.column)) for field in fields)
    types = ", ".join(f"{quote(str(field.column))} {field.db_type(connection)}" for field in fields)
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_to_recordset(%s) AS given ({types})"  # noqa: S608


def _as_json(model: type[Model], rows: Sequence[Model]) -> str:
    columns, values_of = _shape(model)
    return _encode([dict(zip(columns, values_of(row), strict=True)) for row in rows])


@lru_cache
def _shape(model: type[Model]) -> tuple[tuple[str, ...], Any]:
    fields = model._meta.concrete_fields
    return tuple(str(field.column) for field in fields), attrgetter(*(field.attname for field in fields))
