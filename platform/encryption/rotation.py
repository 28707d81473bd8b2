"""Rotation while everything runs: tokens are wrapped anew under the primary master key, batch by batch.

Where it stands is written nowhere: the tokens say it. So it can be killed at any moment, begun again, and run twice at once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from django.db import connection, transaction

from encryption.providers import get_keyring
from encryption.registry import SealedColumn, sealed_columns
from encryption.standing import rows_of_missing_keys, rows_to_rewrap
from encryption.vault import SecretError, open_token, rewrap

BATCH: Final = 500
# Rows that somebody held are looked at again so often, with so many seconds between.
_PASSES: Final = 20
_BETWEEN_PASSES: Final = 0.25
_ALTERED: Final = "the row was altered or moved, or its master key is another one of the same id"


@dataclass(frozen=True, slots=True)
class Failure:
    """A row whose token does not open: where it stands and why, never what it holds."""

    column: str
    pk: str
    why: str

    def __str__(self) -> str:
        return f"{self.column} {self.pk}: {self.why}"


@dataclass(slots=True)
class Progress:
    """What one caller did. `lost` swaps came too late, because somebody else wrote the row first; that is no fault."""

    rewrapped: int = 0
    lost: int = 0
    is_through: bool = False
    failures: dict[tuple[str, str], Failure] = field(default_factory=dict)

    def fail(self, column: SealedColumn, pk: object, why: str) -> None:
        self.failures[str(column), str(pk)] = Failure(str(column), str(pk), why)


def rewrap_rows(
    *,
    batch: int = BATCH,
    pause: float = 0.0,
    seconds: float | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Moves all rows under the primary key, or as many as fit into `seconds`; `tell` hears of each batch.

    `pause` seconds are slept after each batch. Rows that can't be opened are named in `failures` and left as they are.
    """
    progress, ends = Progress(), None if seconds is None else time.monotonic() + seconds
    for _ in range(_PASSES):
        for column in sealed_columns():
            if not _pass_over(column, progress, batch=batch, pause=pause, ends=ends, tell=tell):
                return progress
        if rows_to_rewrap() <= len(progress.failures):
            progress.is_through = True
            break
        # Somebody holds the rest, or has just written more under an older key.
        time.sleep(_BETWEEN_PASSES)
    for column in sealed_columns():
        for pk, key_id in rows_of_missing_keys(column):
            progress.fail(column, pk, _why(key_id))
    return progress


def _pass_over(
    column: SealedColumn,
    progress: Progress,
    *,
    batch: int,
    pause: float,
    ends: float | None,
    tell: Callable[[Progress], None],
) -> bool:
    """One look at each row of a column; False where the time is over."""
    after: Any = None
    while True:
        if ends is not None and time.monotonic() >= ends:
            return False
        after = rewrap_batch(column, progress, after=after, batch=batch)
        if after is None:
            return True
        tell(progress)
        time.sleep(pause)


def rewrap_batch(column: SealedColumn, progress: Progress, *, after: Any, batch: int) -> Any:
    """Moves up to `batch` rows whose primary keys are greater than `after`; gives the last of them, None after the last.

    Rows that somebody is writing are passed over: whoever waits for nobody can't deadlock with an edit of several rows.
    """
    keyring = get_keyring()
    others = [key_id for key_id in keyring.ids() if key_id != keyring.primary_id()]
    rows = column.rows().filter(column.under(*others)).order_by("pk").select_related(*column.related or (None,))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    with transaction.atomic():
        taken = list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",))[:batch])
        swaps = []
        for row in taken:
            token = getattr(row, column.field)
            try:
                swaps.append((row.pk, token, rewrap(token, column.binding_of(row))))
            except SecretError:
                progress.fail(column, row.pk, _ALTERED)
        done = _swap(column, swaps)
    progress.rewrapped += done
    progress.lost += len(swaps) - done
    return taken[-1].pk if taken else None


def _swap(column: SealedColumn, swaps: list[tuple[Any, str, str]]) -> int:
    """Puts each new token where the old one still stands; says for how many that held.

    Not by the model's own manager, which would raise the epoch of the configuration for each row and make every process
    read it anew: the secret inside a token is the same as before.
    """
    if not swaps:
        return 0
    quote, meta = connection.ops.quote_name, column.model._meta
    # Typed loosely, because Django's types hold a column's name to be optional; a field of a table has one.
    pk, token_field = cast(Any, meta.pk), cast(Any, meta.get_field(column.field))
    table, pk_column, token_column = quote(meta.db_table), quote(pk.column), quote(token_field.column)
    with connection.cursor() as cursor:
        cursor.executemany(
            # Names of our own models; the values are parameters.
            f"UPDATE {table} SET {token_column} = %s WHERE {pk_column} = %s AND {token_column} = %s",  # noqa: S608
            [(new, pk.get_db_prep_value(key, connection), old) for key, old, new in swaps],
        )
        return int(cursor.rowcount)


def _why(key_id: str) -> str:
    return f"its master key “{key_id}” is not in MASTER_KEYS" if key_id else "this is no token of the vault"


def verify_rows(*, batch: int = BATCH) -> tuple[int, list[Failure]]:
    """Opens every token, both layers; how many opened, and those that did not."""
    opened, progress = 0, Progress()
    for column in sealed_columns():
        missing = dict(rows_of_missing_keys(column))
        rows = column.rows().order_by("pk").select_related(*column.related or (None,))
        for row in rows.iterator(chunk_size=batch):
            try:
                open_token(getattr(row, column.field), column.binding_of(row))
                opened += 1
            except SecretError:
                progress.fail(column, row.pk, _why(missing[row.pk]) if row.pk in missing else _ALTERED)
    return opened, list(progress.failures.values())
