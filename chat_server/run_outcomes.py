"""What became of a run: groups of outcomes, and each in words that an operator can act on."""

from typing import Final

from chat_server.run_account import ANSWERED, CUT
from gateway.errors import Code
from sessions_api.outcome_words import explain
from sessions_api.outcomes import OutcomeGroup, group_of

# The visitor left, or cancelled: what was asked for was given as far as it was wanted.
_SERVED: Final = (ANSWERED, CUT)
# Of the chat's own rules: no public error has these codes.
_OWN: Final = {
    "message_too_long": "The message was longer than the version of the assistant allows.",
    "action_too_large": "What a widget or a tool of the page sent was longer than the version of the assistant allows.",
    "too_many_turns": "The assistant called tools again and again without coming to an answer. Look at its instructions and "
    "tools, or allow more turns.",
    "context_length_exceeded": "The conversation no longer fits into the model. The visitor was told to begin a new one.",
}

# All that there are: what a dashboard counts by.
OUTCOMES: Final = frozenset({*_SERVED, *_OWN, *(code.value for code in Code)})


def in_words(group: OutcomeGroup) -> str:
    return "answered or cut" if group is OutcomeGroup.GRANTED else str(group.label)


def group_of_run(outcome: str) -> OutcomeGroup:
    return OutcomeGroup.GRANTED if outcome in _SERVED else group_of(outcome)


def codes_of_runs(group: str) -> list[str]:
    """The outcomes of a group: a list of members can use an index, which “none of those” can't."""
    if group == OutcomeGroup.GRANTED:
        return list(_SERVED)
    return [*(code.value for code in Code if group_of(code) == group), *(_OWN if group == OutcomeGroup.REFUSED else ())]


def explain_run(outcome: str, reason: str) -> str:
    """Blank for a run that was answered."""
    if outcome == ANSWERED:
        return ""
    if outcome == CUT:
        return "The visitor left or cancelled while the answer was written; the model was told to stop."
    return _OWN.get(outcome) or explain(outcome, reason).behind
