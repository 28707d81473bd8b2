"""Which columns of the database hold sealed secrets: apps announce theirs in `AppConfig.ready`.

The vault knows no tenant, so it is told: the system check looks there for master keys that are missing, and rotation
looks there for tokens to wrap anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

from encryption.vault import Binding, token_prefix


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of tokens, and how the binding of a row's token is found. Empty and NULL mean that none is set."""

    model: type[Model]
    field: str
    binding_of: Callable[[Any], Binding]
    # Foreign keys that `binding_of` follows, so that a batch reads them with its rows.
    related: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.field}"

    def rows(self) -> QuerySet[Any]:
        """Every row that has a token, whatever the model's own manager leaves out."""
        return self.model._base_manager.exclude(**{self.field: ""}).exclude(**{f"{self.field}__isnull": True})

    def under(self, *key_ids: str) -> Q:
        """The condition that a token is wrapped by one of these master keys; true of nothing where none is given."""
        condition = Q(pk__in=())
        for key_id in key_ids:
            condition |= Q(**{f"{self.field}__startswith": token_prefix(key_id)})
        return condition


_columns: dict[str, SealedColumn] = {}


def register(
    model: type[Model], field: str, *, binding_of: Callable[[Any], Binding], related: tuple[str, ...] = ()
) -> None:
    """Announce a sealed column; raises FieldDoesNotExist at start for a name that the model does not have."""
    model._meta.get_field(field)
    column = SealedColumn(model, field, binding_of, related)
    _columns[str(column)] = column


def sealed_columns() -> tuple[SealedColumn, ...]:
    return tuple(_columns.values())
