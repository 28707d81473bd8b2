"""What an event's `changes` say, as the rows of a table."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One field or fact. `kept` is False where only the name of a changed field was kept."""

    name: str
    old: str = ""
    new: str = ""
    kept: bool = True


def change_rows(changes: Mapping[str, Any]) -> list[ChangeRow]:
    return list(_rows(changes))


def _rows(changes: Mapping[str, Any]) -> Iterator[ChangeRow]:
    values = changes.get("values") or {}
    for name in changes.get("fields") or ():
        if name not in values:
            yield ChangeRow(name, kept=False)
    for name, value in values.items():
        if isinstance(value, Mapping) and value.keys() & {"added", "removed"}:
            yield ChangeRow(name, old=_joined(value.get("removed")), new=_joined(value.get("added")))
        elif isinstance(value, Mapping):
            yield ChangeRow(name, old=_shown(value.get("old")), new=_shown(value.get("new")))
        else:
            yield ChangeRow(name, new=_shown(value))
    for name, value in changes.items():
        if name not in {"fields", "values"}:
            yield ChangeRow(name.replace("_", " "), new=_shown(value))


def _joined(names: Any) -> str:
    return ", ".join(map(str, names or ()))


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
