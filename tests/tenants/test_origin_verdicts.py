"""`manage.py origin_verdicts`: every verdict that a file does not expect, and a sentence for a file that can't be used."""

import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from audit.record import SYSTEM
from tenants.domains import allow_domain
from tests.tenants.cast import register

CASES = [
    {"header": "https://example.com", "expect": "allow"},
    {"header": None, "expect": "deny"},
    {"header": "", "expect": "deny"},
    {"header": "https://shop.example.org\x1b[2J", "expect": "deny"},
    {"header": "https://app-1.example.com", "expect": "allow"},
    {"header": "http://localhost:5173", "expect": "allow"},
]
TABLE = {"rules": ["example.com", "app-*.example.com", "http://localhost:5173", "*.vercel.app"], "cases": CASES}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "vectors.json"


def run(file, *arguments, table=None):
    """What it prints, and its exit code."""
    if table is not None:
        file.write_text(table if isinstance(table, str) else json.dumps(table))
    out = io.StringIO()
    try:
        call_command("origin_verdicts", str(file), *arguments, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_all_verdicts_as_expected(file):
    assert run(file, table=TABLE) == ("0 wrong of 6.\n", 0)


def test_each_wrong_verdict_is_printed_with_its_reason(file):
    wrong = [
        {"header": "https://example.com", "expect": "deny", "why": "moved away"},
        {"header": None, "expect": "allow"},
        {"header": "https://x.example\x1b[2J", "expect": "allow"},
    ]

    printed, code = run(file, table={**TABLE, "cases": [*CASES, *wrong]})

    assert code == 1
    assert printed.splitlines() == [
        "'https://example.com': expected deny, decided allowed (moved away)",
        "(none): expected allow, decided origin_missing",
        "'https://x.example\\x1b[2J': expected allow, decided origin_malformed",
        "3 wrong of 9.",
    ]


def test_as_json(file):
    cases = [*CASES, {"header": "null", "expect": "allow", "why": "a file"}]

    printed, code = run(file, "--json", table={**TABLE, "cases": cases})

    assert code == 1
    assert json.loads(printed) == {
        "cases": 7,
        "wrong": [{"header": "null", "expect": "allow", "reason": "origin_null", "why": "a file"}],
    }


@pytest.mark.django_db
def test_the_tenants_own_list_stands_in_for_the_rules(file):
    allow_domain(tenant=register(), text="shop.example", actor=SYSTEM)
    cases = [{"header": "https://shop.example", "expect": "allow"}, {"header": "https://example.com", "expect": "deny"}]

    assert run(file, "--tenant", "alder", table={"rules": ["example.com"], "cases": cases}) == ("0 wrong of 2.\n", 0)
    assert run(file, "--tenant", "alder", table={"cases": cases}) == ("0 wrong of 2.\n", 0)


@pytest.mark.django_db
def test_an_unknown_tenant_is_named(file):
    with pytest.raises(CommandError, match="No tenant has the slug “birch”") as refusal:
        run(file, "--tenant", "birch", table=TABLE)

    assert refusal.value.returncode == 2


def test_it_reads_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(TABLE).encode())))

    assert run("-") == ("0 wrong of 6.\n", 0)


UNREADABLE = [
    ("{", "it is no JSON"),
    ("[" * 100_000, "it is no JSON"),
    ([], '"cases"'),
    ({"rules": []}, '"cases"'),
    ({"rules": [], "cases": []}, '"cases"'),
    ({"rules": [], "cases": {}}, '"cases"'),
    ({"rules": "example.com", "cases": CASES}, "“rules” must be a list"),
    ({"rules": [7], "cases": CASES}, "rule 1 is no text"),
    ({"rules": ["example.com", "https://a/b"], "cases": CASES}, "rule 2, 'https://a/b': Leave out everything after"),
    ({"rules": ["app-*.com"], "cases": CASES}, "rule 1, 'app-\\*.com': Anybody can buy"),
    ({"rules": [], "cases": [7]}, "case 1 has no “header”"),
    ({"rules": [], "cases": [*CASES, {"expect": "deny"}]}, "case 7 has no “header”"),
    ({"rules": [], "cases": [{"header": 7, "expect": "deny"}]}, "case 1: “header” must be a text"),
    ({"rules": [], "cases": [{"header": "null"}]}, "“expect” must be “allow” or “deny”"),
    ({"rules": [], "cases": [{"header": "null", "expect": True}]}, "“expect” must be “allow” or “deny”"),
    ({"cases": CASES}, "name a tenant with --tenant"),
]


@pytest.mark.parametrize(("table", "cure"), UNREADABLE, ids=lambda value: str(value)[:30])
def test_a_file_that_can_not_be_used_gets_a_sentence(file, table, cure):
    with pytest.raises(CommandError, match=cure) as refusal:
        run(file, table=table)

    assert str(file) in str(refusal.value)
    assert refusal.value.returncode == 2


def test_a_file_that_is_not_there_or_no_text_gets_a_sentence(file, tmp_path):
    for path in (file, tmp_path):
        with pytest.raises(CommandError, match="can't be read"):
            run(path)
    file.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(CommandError, match="it is no JSON"):
        run(file)
