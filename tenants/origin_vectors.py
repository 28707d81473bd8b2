"""Tables of origins with the verdict that each shall get, so that a list can be proven before a browser meets it.

    {"rules": ["https://example.com", "https://*.example.org"],
     "cases": [{"header": "https://example.com", "expect": "allow"}, {"header": null, "expect": "deny"}]}

`header` is the raw value of the Origin header, null where there is none. Other fields are for people.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from tenants.hosts import EntryProblem
from tenants.origin_entries import EntryRefused, parse_entry
from tenants.origins import OriginRule, OriginRules, Reason

EXPECTATIONS: Final = {"allow": True, "deny": False}


class VectorsUnreadable(ValueError):
    """The file is no such table; the message says where, and what to write there."""


@dataclass(frozen=True, slots=True)
class Case:
    header: str | None
    is_allowed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Vectors:
    """`rules` is None where the file has none, so that a tenant's own list must be named."""

    rules: tuple[OriginRule, ...] | None
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A case whose verdict is not the one that was expected."""

    case: Case
    reason: Reason


def read_vectors(text: str | bytes, *, today: date) -> Vectors:
    """The table in this JSON text. Its patterns count as running `today`. Raises VectorsUnreadable."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VectorsUnreadable(f"it is no JSON ({error}).") from error
    if not isinstance(table, dict) or not isinstance(table.get("cases"), list) or not table["cases"]:
        raise VectorsUnreadable(
            'write {"rules": [entry, …], "cases": [{"header": …, "expect": "allow" or "deny"}, …]}.'
        )
    rules = table.get("rules")
    if rules is not None and not isinstance(rules, list):
        raise VectorsUnreadable("“rules” must be a list of entries, each as one types it in the admin.")
    return Vectors(
        rules=None if rules is None else tuple(_rule(n, rule, today) for n, rule in enumerate(rules, start=1)),
        cases=tuple(_case(n, case) for n, case in enumerate(table["cases"], start=1)),
    )


def wrong_verdicts(rules: Iterable[OriginRule], cases: Iterable[Case], *, now: float) -> list[Wrong]:
    listed = OriginRules(rules)
    found = []
    for case in cases:
        verdict = listed.decide(case.header, now=now)
        if verdict.allowed is not case.is_allowed:
            found.append(Wrong(case, verdict.reason))
    return found


def _rule(number: int, entry: Any, today: date) -> OriginRule:
    """With every choice made, and patterns running: the file says itself what it wants."""
    if not isinstance(entry, str):
        raise VectorsUnreadable(f"rule {number} is no text. Write an entry, such as https://shop.example.com.")
    parse = partial(parse_entry, entry, allow_http=True, allow_public_suffix=True, allow_shared=True)
    try:
        return parse()
    except EntryRefused as refusal:
        if refusal.reason is EntryProblem.EXPIRY:
            return parse(expires_on=today)
        raise VectorsUnreadable(f"rule {number}, {entry[:80]!a}: {refusal.message}") from refusal


def _case(number: int, case: Any) -> Case:
    if not isinstance(case, dict) or "header" not in case:
        raise VectorsUnreadable(f"case {number} has no “header”. Write null for a call without one.")
    header, expect = case["header"], case.get("expect")
    if header is not None and not isinstance(header, str):
        raise VectorsUnreadable(f"case {number}: “header” must be a text, or null for a call without one.")
    if not isinstance(expect, str) or expect not in EXPECTATIONS:
        raise VectorsUnreadable(f"case {number}: “expect” must be “allow” or “deny”.")
    return Case(header, EXPECTATIONS[expect], str(case.get("why") or ""))
