"""Whether an assistant could answer by another backend: what stands in the way, and what is only to be known."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from tenants.models import Assistant, AssistantKey, TenantState, Verdict
from tenants.models.assistant import Backend
from tenants.models.key import CONDEMNED
from tenants.openai_list import listings_of
from tenants.verdict_words import words_for


@dataclass(frozen=True, slots=True)
class Readiness:
    """`blockers` forbid the switch, `warnings` don't; both in sentences that name the cure."""

    blockers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def readiness_of(assistant: Assistant, to: Backend) -> Readiness:
    """Reads the database a few times; asks nobody."""
    blockers = [] if assistant.tenant.state != TenantState.DELETING else ["The tenant is being deleted."]
    if to == Backend.PLATFORM:
        blockers += _published(assistant) + _keys(assistant)
        return Readiness(tuple(blockers), tuple(_process() + _websites(assistant)))
    if not assistant.workflow_id:
        blockers.append("There is no workflow to go back to. Enter its ID, “wf_…”, on the assistant's page.")
    retired = timezone.now().date() >= settings.SUNSET_DATE
    warnings = ["OpenAI has shut Agent Builder: a hosted workflow answers nobody any more."] if retired else []
    return Readiness(tuple(blockers), tuple(warnings))


def _published(assistant: Assistant) -> list[str]:
    if assistant.published_version_id is not None:
        return []
    return ["No version is published. Write a draft on the assistant's page, try it, and publish it."]


def _keys(assistant: Assistant) -> list[str]:
    """One usable key is enough. A missing workflow is no verdict on what the platform does with the key."""
    pairs = AssistantKey.objects.filter(assistant=assistant, key__retired_at__isnull=True).select_related("key")
    condemned = []
    for pair in pairs.defer("key__token"):
        verdict = pair.key.verdict if pair.key.verdict in CONDEMNED else pair.verdict
        if verdict not in CONDEMNED or verdict == Verdict.WORKFLOW_MISSING:
            return []
        words = words_for(verdict)
        condemned.append(f"The key “{pair.key.label}” can't be used: {words.sentence} {words.cure}")
    return condemned or ["It has no key in use. Add one on the tenant's page and give it to the assistant."]


def _process() -> list[str]:
    if settings.SERVE_CHAT:
        return []
    return ["This process serves no chats. See that those which your pages reach run with SERVE_CHAT=1."]


def _websites(assistant: Assistant) -> list[str]:
    missing = [each.entry for each in listings_of(assistant.tenant) if each.missing]
    if not missing:
        return []
    return [
        f"Not (fully) on OpenAI's own list of websites yet: {', '.join(missing)}. The tenant's page has the check-list."
    ]
