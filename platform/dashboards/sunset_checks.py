"""The check-list of one assistant: what a switch to this platform would need, from what is loaded already.

The deed looks again by itself (tenants/readiness.py) and has the last word.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tenants.models import Assistant, Backend, Verdict
from tenants.models.key import CONDEMNED
from tenants.openai_list import listings_of
from tenants.verdict_words import words_for


@dataclass(frozen=True, slots=True)
class Check:
    """`tone` is one of ok, warn, bad, idle. `blocks`: without it a switch is refused."""

    label: str
    tone: str
    text: str
    blocks: bool = False


def checks_of(assistant: Assistant, *, has_draft: bool) -> Iterator[Check]:
    """Reads `published_version`, `ranked_keys` with their keys (none retired) and the tenant's websites, all loaded."""
    yield _version(assistant, has_draft=has_draft)
    yield _key(assistant)
    yield _model(assistant)
    yield _websites(assistant)


def _version(assistant: Assistant, *, has_draft: bool) -> Check:
    version = assistant.published_version
    if version is not None:
        return Check("Version", "ok", f"{version.number} is published, with {version.model}")
    if has_draft:
        return Check("Version", "bad", "a draft waits: try it, then publish it", blocks=True)
    return Check("Version", "bad", "none yet: Prepare writes a draft", blocks=True)


def _key(assistant: Assistant) -> Check:
    """As tenants/readiness.py judges: one usable key is enough, and a missing workflow is no verdict on it."""
    worst = ""
    for pair in assistant.ranked_keys.all():
        verdict = pair.key.verdict if pair.key.verdict in CONDEMNED else pair.verdict
        if verdict not in CONDEMNED or verdict == Verdict.WORKFLOW_MISSING:
            return Check("Key", "ok", f"“{pair.key.label}” can be used")
        worst = f"“{pair.key.label}”: {words_for(verdict).title}"
    return Check("Key", "bad", worst or "none in use: add one on the tenant's page", blocks=True)


def _model(assistant: Assistant) -> Check:
    if assistant.backend != Backend.PLATFORM:
        return Check("Model", "idle", "checked right after the switch; Try shows it before")
    verdicts = [pair.verdict for pair in assistant.ranked_keys.all()]
    if Verdict.HEALTHY in verdicts:
        return Check("Model", "ok", "the key's last check ran it")
    if not verdicts or all(verdict == Verdict.UNCHECKED for verdict in verdicts):
        return Check("Model", "idle", "not checked yet")
    return Check("Model", "bad" if verdicts[0] in CONDEMNED else "warn", words_for(verdicts[0]).title)


def _websites(assistant: Assistant) -> Check:
    listings = listings_of(assistant.tenant)
    if not listings:
        return Check("Websites", "warn", "none is allowed yet: no page can open the chat")
    missing = [each.host for each in listings if each.missing]
    if not missing:
        return Check("Websites", "ok", "each has its key of OpenAI's list, or needs none")
    named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return Check("Websites", "warn", f"not (fully) on OpenAI's own list: {named}")
