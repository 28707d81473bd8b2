"""Every code and every reason says what was the case and what to do."""

import ast
import re
from pathlib import Path

import pytest

from gateway.errors import Code
from gateway.identity_refusals import IdentityRefusal
from sessions_api import outcome_words
from sessions_api.outcome_words import explain
from sessions_api.outcomes import FAILED, OutcomeGroup, codes_of, group_of

TROUBLESHOOTING = (Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md").read_text()
REASONS = TROUBLESHOOTING.partition("## What lies behind a code")[2].partition("\n## ")[0]
# Codes that no row of the ledger has: those from before any tenant is known.
NEVER = {"not_found", "host_invalid", "https_required"}
# Codes whose reasons say it all.
BY_REASON = {
    "tenant_unknown",
    "assistant_unknown",
    "rate_limited",
    "quota_exceeded",
    "identity_required",
    "identity_invalid",
    *FAILED - {"internal_error"},
}


def test_no_code_and_no_reason_has_words_twice():
    """The second would silently win, and the documents say the first."""
    tree = ast.parse(Path(outcome_words.__file__).read_text())
    for table in (node for node in ast.walk(tree) if isinstance(node, ast.Dict)):
        keys = [ast.unparse(key) for key in table.keys if key is not None]
        assert sorted(set(keys)) == sorted(keys)


def documented_reasons() -> list[tuple[str, str]]:
    """(code, reason) of each row of the table; where it says “several” or “any”, with one of them."""
    found = []
    for reasons, code in re.findall(r"^\| (`.*?) \| (.*?) \|", REASONS, flags=re.MULTILINE):
        named = re.findall(r"`([a-z_]+)`", code)
        found += [
            (named[0] if named else "upstream_unavailable", reason) for reason in re.findall(r"`([a-z_]+)`", reasons)
        ]
    return found


def test_every_refusal_of_a_signed_identity_is_documented():
    assert {reason.value for reason in IdentityRefusal} - {reason for _, reason in documented_reasons()} == set()


@pytest.mark.parametrize(("code", "reason"), documented_reasons())
def test_every_reason_of_the_documents_has_words(code, reason):
    words = explain(code, reason)

    assert words.told
    assert words.behind.endswith(".")
    assert "docs/troubleshooting.md" not in words.behind
    # The words of the code alone are for reasons that nobody has foreseen.
    assert code not in BY_REASON or words.behind != explain(code, "").behind


@pytest.mark.parametrize("code", sorted({code.value for code in Code} - NEVER - BY_REASON))
def test_a_code_says_it_where_no_reason_does(code):
    assert "docs/troubleshooting.md" not in explain(code, code).behind


def test_a_page_with_a_bad_body_is_not_taken_for_openai():
    assert "endpoint" in explain("body_invalid", "body_invalid").behind
    assert "OpenAI" in explain("upstream_invalid", "body_invalid").behind


def test_what_this_release_does_not_know_leads_to_the_documents():
    words = explain("code_of_tomorrow", "reason_of_tomorrow")

    assert words.told == ""
    assert "docs/troubleshooting.md" in words.behind


def test_every_code_belongs_to_the_group_that_lists_it():
    for group in OutcomeGroup:
        assert {group_of(code) for code in codes_of(group)} == {group}
    assert sum(len(codes_of(group)) for group in OutcomeGroup) == 1 + len(Code)
