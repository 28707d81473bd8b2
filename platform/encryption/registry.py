"""Which columns of the database hold sealed secrets: apps announce theirs in `AppConfig.ready`.

The vault knows no tenant, so it is told: the system check looks there for master keys that are missing, and rotation
looks there for tokens to wrap anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from encryption.vault import Binding


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of tokens, and how the binding of a row's token is found. Empty and NULL mean that none is set."""

    model: type[Model]
    field: str
    binding_of: Callable[[Any], Binding]

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"


_columns: dict[str, SealedColumn] = {}


def register(model: type[Model], field: str, *, binding_of: Callable[[Any], Binding]) -> None:
    """Announce a sealed column; raises FieldDoesNotExist at start for a name that the model does not have."""
    model._meta.get_field(field)
    column = SealedColumn(model, field, binding_of)
    _columns[str(column)] = column


def sealed_columns() -> tuple[SealedColumn, ...]:
    return tuple(_columns.values())
