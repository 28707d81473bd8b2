"""One line of the spool: the rows of one request, under a MAC of ours.

    sp1.<key id>.<mac>.<JSON>\\n        mac = HMAC-SHA256(HKDF(SIGNING_KEYS, "spool"), "sp1.<key id>." + JSON), base64url

The JSON is `{"rows": [[kind, {column: value}]], "seen": [ref, issued at] | null}`, kind one of request, live, visitor, and
what rooms above have registered (run). It holds what the tables hold, hence no secret. The MAC tells our lines from what
anybody else has put into the file.
"""

import hmac
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Model

from encryption import base64url
from encryption.derive import primary_signing_id, signing_key
from sessions_api.models import LiveSession, SessionRequest, VisitorLink
from sessions_api.sightings import Sighting

LABEL: Final = "spool"
VERSION: Final = b"sp1"
_KINDS: Final[dict[str, type[Model]]] = {"request": SessionRequest, "live": LiveSession, "visitor": VisitorLink}
_NAMES: Final = {model: kind for kind, model in _KINDS.items()}


def register_kind(kind: str, model: type[Model]) -> None:
    """Rows of a room above may be spooled too, such as need no other row. Called when its app is ready."""
    _KINDS[kind] = model
    _NAMES[model] = kind


class BadLine(Exception):
    """Not a line of ours, or not one that this release can read; the text says why and holds nothing of the line."""


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """The rows of one request, and whose token named its visitor."""

    rows: tuple[Model, ...]
    sighting: Sighting | None = None


def to_line(rows: Sequence[Model], sighting: Sighting | None = None) -> bytes:
    """The line with its end."""
    seen = None if sighting is None else [sighting.ref, sighting.token_issued_at]
    data = {"rows": [[_NAMES[type(row)], _columns(row)] for row in rows], "seen": seen}
    # ASCII, and line breaks escaped: a line has no other end than its own.
    text = json.dumps(data, separators=(",", ":"), default=_as_text).encode("ascii")
    key_id = primary_signing_id()
    return b".".join((VERSION, key_id.encode(), _mac(key_id, text), text)) + b"\n"


def read_line(line: bytes) -> SpooledRows:
    """The rows of a line that is whole and ours; raises BadLine."""
    parts = line.removesuffix(b"\n").split(b".", 3)
    if len(parts) != 4 or parts[0] != VERSION:
        raise BadLine("it has no form of ours")
    _, key_id, mac, text = parts
    try:
        expected = _mac(key_id.decode("ascii"), text)
    except (KeyError, UnicodeDecodeError):
        raise BadLine("its key is not in SIGNING_KEYS") from None
    if not hmac.compare_digest(expected, mac):
        raise BadLine("its MAC is wrong")
    try:
        data = json.loads(text)
        rows = tuple(_row(_KINDS[kind], columns) for kind, columns in data["rows"])
        return SpooledRows(rows, None if data["seen"] is None else Sighting(*data["seen"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadLine(f"another release wrote it ({type(error).__name__})") from None


def _columns(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _row(model: type[Model], columns: dict[str, Any]) -> Model:
    """Columns that came into being since keep their default; one that is gone is a TypeError of the model's."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return model(**{name: fields[name].to_python(value) for name, value in columns.items()})


def _as_text(value: object) -> str:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"A spooled row holds a {type(value).__name__}.")


def _mac(key_id: str, text: bytes) -> bytes:
    message = VERSION + b"." + key_id.encode("ascii") + b"." + text
    return base64url.encode(hmac.digest(signing_key(LABEL, key_id), message, "sha256")).encode("ascii")
