"""Each verdict says what is the case and what to do."""

from datetime import date, timedelta

import pytest
from django.conf import settings

from tenants.models import Verdict
from tenants.models.key import CONDEMNED
from tenants.verdict_words import words_for


@pytest.mark.parametrize("verdict", Verdict.values)
def test_every_verdict_has_words(verdict: str) -> None:
    words = words_for(verdict, today=date(2026, 1, 1))

    assert words.title
    assert words.sentence.endswith((".", "served."))


@pytest.mark.parametrize("verdict", sorted(CONDEMNED))
def test_every_condemnation_names_its_cure(verdict: str) -> None:
    assert words_for(verdict).cure.endswith(".")


def test_a_bare_401_speaks_of_the_allowlist_and_not_of_a_mistyped_key() -> None:
    words = words_for(Verdict.INVALID_KEY, "key_unauthorised")

    assert "IP allowlist" in words.cure
    assert "mistyped" not in words.sentence


def test_from_the_sunset_on_a_missing_workflow_is_a_retired_one() -> None:
    before = words_for(Verdict.WORKFLOW_MISSING, today=settings.SUNSET_DATE - timedelta(days=1))
    after = words_for(Verdict.WORKFLOW_MISSING, today=settings.SUNSET_DATE)

    assert before.title == "workflow not found"
    assert after.title == "workflow retired"
    assert "Operations → Sunset" in after.cure
