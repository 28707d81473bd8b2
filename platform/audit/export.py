"""The audit as files: CSV for people with spreadsheets, JSON lines for machines and later verification.

A JSON line holds every column that the hash covers, and the hash, so a chain can be verified without this platform. In CSV a cell
that a spreadsheet would take for a formula gets an apostrophe in front; a CSV is for reading, not for verification.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.utils.text import slugify

from audit.models import AuditEvent
from audit.record import link_columns

COLUMNS: Final = (
    "seq",
    "at",
    "action",
    "actor",
    "actor_id",
    "address",
    "tenant_id",
    "tenant_name",
    "subject_type",
    "subject_id",
    "subject",
    "changes",
    "request_id",
    "id",
    "prev_hash",
    "hash",
)
FORMATS: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
# Excel and its kin evaluate cells that begin so; the full-width forms are folded to the plain ones in East Asian versions.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_PAGE: Final = 1000


def lines(events: QuerySet[AuditEvent], form: str) -> Iterator[bytes]:
    """The events in ascending order, a page at a time; those appended after the start are left out."""
    if form == "csv":
        yield _csv([COLUMNS])
    for page in _pages(events):
        yield _csv(map(_cells, page)) if form == "csv" else _jsonl(page)


async def streamed(events: QuerySet[AuditEvent], form: str) -> AsyncIterator[bytes]:
    """The same for ASGI, where a synchronous iterator would be gathered in memory before the first byte."""
    source = lines(events, form)
    while chunk := await sync_to_async(lambda: next(source, b""))():
        yield chunk


def file_name(form: str, *, at: str) -> str:
    return f"audit-{slugify(at)}.{form}"


def neutral(cell: str) -> str:
    """The cell as text that no spreadsheet evaluates."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


def _pages(events: QuerySet[AuditEvent]) -> Iterator[list[AuditEvent]]:
    last_of_all = events.order_by("-seq").values_list("seq", flat=True).first()
    if last_of_all is None:
        return
    last = -1
    # By key, not by offset or cursor: no open transaction while somebody downloads slowly.
    while page := list(events.filter(seq__gt=last, seq__lte=last_of_all).order_by("seq")[:_PAGE]):
        yield page
        last = page[-1].seq


def _cells(event: AuditEvent) -> list[str]:
    row = {**link_columns(event), "hash": event.hash}
    row["changes"] = json.dumps(event.changes, ensure_ascii=False, sort_keys=True)
    return [neutral("" if row[name] is None else str(row[name])) for name in COLUMNS]


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, dialect="excel", quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _jsonl(page: list[AuditEvent]) -> bytes:
    rows = ({**link_columns(event), "hash": event.hash} for event in page)
    return b"".join(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows)
