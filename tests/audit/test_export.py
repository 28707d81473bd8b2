import csv
import hashlib
import io
import json

import pytest
import rfc8785
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient
from django.urls import reverse

from audit.actions import Action
from audit.export import COLUMNS, neutral
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def export(client, form: str, **query) -> bytes:
    answer = client.get(reverse("admin:audit_auditevent_export", args=[form]), query)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def csv_rows(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True))


def test_csv_has_a_head_crlf_lines_and_every_event_in_order(as_auditor, append):
    append('says "hello", twice')
    append("second")

    body = export(as_auditor, "csv")

    rows = csv_rows(body)
    assert tuple(rows[0]) == COLUMNS
    assert [row["subject"] for row in rows[-2:]] == ['says "hello", twice', "second"]
    assert body.count(b"\n") == body.count(b"\r\n") == len(rows) + 1


def test_json_lines_hold_what_it_takes_to_verify_the_chain_without_this_platform(as_auditor, append):
    append("Bücher & Häfen", changes={"fields": ["name"]})

    lines = [json.loads(line) for line in export(as_auditor, "jsonl").splitlines()]

    last = "0" * 64
    for line in lines:
        stated = line.pop("hash")
        assert line["prev_hash"] == last
        assert hashlib.sha256(b"\x00" + rfc8785.dumps(line)).hexdigest() == stated
        last = stated


FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "  =1",
    '=cmd|" /C calc"!A0',
)


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_evaluate_gets_an_apostrophe(text):
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=b", "1-2", "{}", "tenant:created", "2026-11-30"])
def test_ordinary_text_is_left_alone(text):
    assert neutral(text) == text


def test_no_cell_of_an_export_begins_a_formula(as_auditor, append):
    for text in FORMULAS:
        append(text, tenant_name=text)

    for row in csv_rows(export(as_auditor, "csv")):
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))


def test_the_export_is_what_the_filters_show(as_auditor, append):
    append("made", action=Action.TENANT_CREATED)
    append("changed", action=Action.TENANT_CHANGED)

    rows = csv_rows(export(as_auditor, "csv", what="tenant:created"))

    assert [row["subject"] for row in rows] == ["made"]


def test_an_export_is_an_event_that_says_what_was_taken_and_by_whom(as_auditor, append):
    last = append()

    body = export(as_auditor, "jsonl", what="tenant")

    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.actor) == (Action.AUDIT_EXPORTED, "otto")
    assert event.changes == {"filter": {"what": "tenant"}, "format": "jsonl", "up_to": last.seq}
    assert b"audit:exported" not in body


def test_an_export_comes_as_a_file_that_no_cache_keeps(as_auditor):
    answer = as_auditor.get(reverse("admin:audit_auditevent_export", args=["csv"]))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    assert "no-store" in answer["Cache-Control"]
    b"".join(answer.streaming_content)


def test_an_unknown_format_is_not_found(as_auditor):
    assert as_auditor.get(reverse("admin:audit_auditevent_export", args=["xlsx"])).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_under_asgi_it_streams_page_by_page(auditor, append):
    def fill() -> None:
        for number in range(1050):
            append(str(number))

    await sync_to_async(fill)()
    client = AsyncClient()
    await client.aforce_login(auditor)

    answer = await client.get(reverse("admin:audit_auditevent_export", args=["jsonl"]))

    assert answer.is_async
    pages = [chunk async for chunk in answer.streaming_content]
    assert len(pages) == 2
    assert sum(page.count(b"\n") for page in pages) == 1051
    # The thread behind sync_to_async would keep its connection, and with it the test database.
    await sync_to_async(connections.close_all)()
