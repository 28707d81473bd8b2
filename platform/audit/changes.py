"""The one shape of what an event says about a change, and the cleaning that makes any value fit to be kept.

    {"fields": ["state", "api_key"], "values": {"state": {"old": "active", "new": "suspended"}}}

Names of changed fields always; values only where the caller knows that they are harmless. Many-to-many fields say
`{"added": [...], "removed": [...]}` in place of old and new. Other keys are free, for facts that are no field.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

# Past 2^53 the canonical JSON of a number is no longer certain, so such numbers are kept as text.
_LARGEST_CERTAIN_INTEGER: Final = 2**53 - 1
_LONGEST_TEXT: Final = 500
_MOST_ITEMS: Final = 100


def described(
    fields: Iterable[str], values: Mapping[str, Mapping[str, Any]] | None = None, **facts: Any
) -> dict[str, Any]:
    """The `changes` of an event, from names of fields and the values of harmless ones."""
    changes: dict[str, Any] = {"fields": sorted(fields), **facts}
    if values:
        changes["values"] = {name: dict(value) for name, value in values.items()}
    return changes


def plain(value: Any) -> Any:
    """The value as JSON that every database gives back unchanged: text cut and printable, no floats, no huge ints."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_CERTAIN_INTEGER else str(value)
    if isinstance(value, Mapping):
        return {_text(key): plain(item) for key, item in list(value.items())[:_MOST_ITEMS]}
    if isinstance(value, list | tuple | set | frozenset):
        items = value if isinstance(value, list | tuple) else sorted(value, key=str)
        return [plain(item) for item in list(items)[:_MOST_ITEMS]]
    if isinstance(value, date):
        return value.isoformat()
    return _text(value)


def printable(text: str) -> str:
    """Without control and bidirectional characters: a name can neither break a log line nor disguise itself."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "�" for character in text)


def _text(value: object) -> str:
    return printable(str(value)[:_LONGEST_TEXT])
