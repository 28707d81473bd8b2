"""docs/refusals.md is what the code says, and the code says something to each of the three readers of every code."""

import pytest

from gateway.errors import Code, PublicError
from sessions_api.outcome_words import explain
from tests.refusals.document import FILE, document, reasons
from tests.refusals.frontend import english, state_of, title_of, writes_the_line

every_code = pytest.mark.parametrize("code", list(Code))


def test_the_document_is_what_the_code_says() -> None:
    cure = "Run: DJANGO_SETTINGS_MODULE=config.settings.test python -m tests.refusals"
    assert FILE.read_text() == document(), cure


@every_code
def test_a_code_has_words_for_the_visitor(code: Code) -> None:
    assert state_of(code) in {"refused", "unavailable", "signin"}
    assert title_of(code) in english().values()


@every_code
def test_a_code_has_a_sentence_for_the_developer(code: Code) -> None:
    message = PublicError(code).message

    assert message.endswith(".")
    assert len(message) > 40
    assert writes_the_line()


@every_code
def test_a_code_has_words_for_the_operator_with_and_without_a_reason(code: Code) -> None:
    said = [explain(code, reason) for reason in ("", code.value, *reasons().get(code.value, []))]

    for words in said:
        assert words.told == PublicError(code).message
        assert words.behind.endswith(".")
        assert "docs/troubleshooting.md" not in words.behind


def test_what_asking_again_cannot_change_is_shown_as_a_refusal_and_the_rest_is_not() -> None:
    """What the page's developer can mend is 4xx and not about a limit; a visitor can only wait for the others."""
    for code in Code:
        error = PublicError(code)
        is_the_pages = error.status < 500 and error.status != 429
        assert (state_of(code) in {"refused", "signin"}) == is_the_pages, code
