"""Under which master key each sealed column's rows stand, and whether a key can be taken out of the ring."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count
from django.db.models.functions import Substr

from encryption.models import SeenMasterKey
from encryption.providers import get_keyring
from encryption.registry import SealedColumn, sealed_columns
from encryption.vault import key_id_of, token_prefix

# The longest key id, and what stands before and after it.
_HEAD: Final = len(token_prefix("x" * 32))


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of a column one master key wraps; `key_id` is "" for what is no token at all."""

    column: str
    key_id: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The ring as this process has it, and the rows as they are now."""

    primary_id: str
    ring: tuple[str, ...]
    rows: tuple[Rows, ...]
    first_seen: dict[str, datetime]

    def count(self, key_id: str) -> int:
        return sum(rows.count for rows in self.rows if rows.key_id == key_id)

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids that rows need and the ring does not hold; "" where a row holds no token."""
        return tuple(sorted({rows.key_id for rows in self.rows} - set(self.ring)))

    @property
    def left(self) -> int:
        """Rows under any other key than the primary, those of missing keys among them."""
        return sum(rows.count for rows in self.rows if rows.key_id != self.primary_id)

    @property
    def is_complete(self) -> bool:
        """Whether every key but the primary may be taken out of the ring."""
        return self.left == 0

    @property
    def removable(self) -> tuple[str, ...]:
        return tuple(key_id for key_id in self.ring if key_id != self.primary_id and not self.count(key_id))

    def cures(self) -> list[str]:
        """A sentence for each thing that is missing."""
        return [cure_for(key_id, self.count(key_id)) for key_id in self.missing]


def cure_for(key_id: str, count: int) -> str:
    if not key_id:
        return (
            f"{count} rows hold what is no token of the vault: `manage.py master_keys verify` names them. "
            "Restore these rows from a back-up, or enter their secrets anew."
        )
    return (
        f"{count} rows need the master key “{key_id}”, which is not in MASTER_KEYS. Put it back at the end of "
        "MASTER_KEYS, restart, and re-wrap; only then take it out."
    )


def standing() -> Standing:
    """Counts every sealed column; raises ImproperlyConfigured for an unusable ring."""
    keyring = get_keyring()
    found: list[Rows] = []
    for column in sealed_columns():
        counts = column.rows().aggregate(
            **{str(place): Count("pk", filter=column.under(key_id)) for place, key_id in enumerate(keyring.ids())}
        )
        found += [Rows(str(column), key_id, counts[str(place)]) for place, key_id in enumerate(keyring.ids())]
        unknown = Counter(key_id for _, key_id in rows_of_missing_keys(column))
        found += [Rows(str(column), key_id, count) for key_id, count in sorted(unknown.items())]
    return Standing(
        primary_id=keyring.primary_id(),
        ring=keyring.ids(),
        rows=tuple(rows for rows in found if rows.count),
        first_seen=dict(SeenMasterKey.objects.values_list("key_id", "first_seen_at")),
    )


def rows_of_missing_keys(column: SealedColumn) -> Iterator[tuple[object, str]]:
    """Primary key and key id of each row whose master key the ring does not hold."""
    rows = column.rows().exclude(column.under(*get_keyring().ids())).annotate(head=Substr(column.field, 1, _HEAD))
    for pk, head in rows.order_by("pk").values_list("pk", "head").iterator(chunk_size=2000):
        yield pk, key_id_of(head)


def rows_to_rewrap() -> int:
    """Rows under keys of the ring that are not the primary."""
    keyring = get_keyring()
    others = [key_id for key_id in keyring.ids() if key_id != keyring.primary_id()]
    return sum(column.rows().filter(column.under(*others)).count() for column in sealed_columns())


def note_seen_keys() -> None:
    """Remembers since when each id is in the ring."""
    ids = get_keyring().ids()
    known = set(SeenMasterKey.objects.filter(key_id__in=ids).values_list("key_id", flat=True))
    if fresh := [SeenMasterKey(key_id=key_id) for key_id in ids if key_id not in known]:
        SeenMasterKey.objects.bulk_create(fresh, ignore_conflicts=True)
