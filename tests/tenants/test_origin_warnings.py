from datetime import timedelta

import pytest

from tenants.origin_entries import parse_entry
from tenants.origin_warnings import warnings_of
from tests.tenants.days import TODAY


def warned(entry, days=None, **choices):
    end = None if days is None else TODAY + timedelta(days=days)
    rule = parse_entry(entry, allow_http=True, allow_shared=True, expires_on=end, **choices)
    return [(found.label, found.tone) for found in warnings_of(rule, today=TODAY)]


@pytest.mark.parametrize(
    ("entry", "days", "labels"),
    [
        ("https://example.com", None, []),
        ("https://*.example.com", None, []),
        ("http://example.com", None, ["http"]),
        ("http://*.example.com", None, ["http"]),
        ("https://localhost:3000", None, ["local"]),
        ("http://127.0.0.1:3000", None, ["local"]),
        ("https://intranet", None, ["short name"]),
        ("http://intranet", None, ["http"]),
        ("app-*.example.com", 8, []),
        ("app-*.example.com", 7, ["ends soon"]),
        ("app-*.example.com", 0, ["ends soon"]),
        ("app-*.example.com", -1, ["over"]),
        ("app-*.vercel.app", 8, ["shared"]),
        ("app-*.vercel.app", -1, ["over", "shared"]),
        ("http://app-*.example.com", 1, ["ends soon", "http"]),
        ("http://app-*.localhost", 8, ["local"]),
    ],
)
def test_an_entry_says_what_to_know_of_it(entry, days, labels):
    found = warned(entry, days)

    assert [label for label, _ in found] == labels
    assert {tone for label, tone in found if label == "over"} <= {"bad"}
    assert {tone for label, tone in found if label != "over"} <= {"warn"}


def test_a_warning_names_the_entry_the_day_and_who_else_could_own_the_name():
    rule = parse_entry("app-*.vercel.app", allow_shared=True, expires_on=TODAY)

    ends, shared = warnings_of(rule, today=TODAY)

    assert ends.entry == shared.entry == "https://app-*.vercel.app"
    assert "2026-11-24 (UTC)" in ends.sentence
    assert "Anybody with an account at vercel.app" in shared.sentence


def test_a_family_of_names_that_strangers_own_is_warned_of_by_its_own_name():
    rule = parse_entry("*.vercel.app", allow_public_suffix=True)

    [shared] = warnings_of(rule, today=TODAY)

    assert "at vercel.app" in shared.sentence
