"""What a verdict on a key or a pair means, in words an operator can act on: one sentence, one cure."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings
from django.utils import timezone

from tenants.models.key import Verdict


@dataclass(frozen=True, slots=True)
class Words:
    """`title` fits a badge; `sentence` says what is the case, `cure` what to do (empty where there is nothing to do)."""

    title: str
    sentence: str
    cure: str


_BY_VERDICT: Final[dict[Verdict, Words]] = {
    Verdict.UNCHECKED: Words(
        "not checked yet",
        "No check has been completed yet.",
        "Wait a few seconds. If this stays, see that the worker and beat are running.",
    ),
    Verdict.HEALTHY: Words("healthy", "OpenAI accepts it.", ""),
    Verdict.DEGRADED: Words(
        "degraded",
        "The last check failed, but one failure is not believed yet; visitors are still served.",
        "Wait for the next check, or choose “Check now”.",
    ),
    Verdict.INVALID_KEY: Words(
        "key refused",
        "OpenAI does not know this API key: it was deleted, revoked or mistyped.",
        "Make a new key at platform.openai.com → API keys and replace this one.",
    ),
    Verdict.MISSING_SCOPE: Words(
        "permission missing",
        "The key is known, but lacks the permission to use ChatKit or, where this platform answers, to run models.",
        "At platform.openai.com → API keys, give the key all permissions, or write access to ChatKit and, where this platform "
        "answers, to Responses. "
        "An edit takes OpenAI up to 15 minutes to apply.",
    ),
    Verdict.WORKFLOW_MISSING: Words(
        "workflow not found",
        "OpenAI finds no such workflow for this key.",
        "Use a key of the project that the workflow belongs to, or correct the workflow ID; the workflow must be published.",
    ),
    Verdict.MODEL_MISSING: Words(
        "model not available",
        "OpenAI gives this key no access to the assistant's model.",
        "Publish a version with a model that the key's project may use, or allow the model at platform.openai.com → "
        "Settings → Limits.",
    ),
    Verdict.BILLING: Words(
        "billing blocked",
        "The OpenAI account behind this key has no budget left.",
        "Its owner adds credit or raises the limit at platform.openai.com → Settings → Billing and → Limits.",
    ),
    Verdict.THROTTLED: Words(
        "throttled",
        "OpenAI limits the rate of this account; some sessions may fail.",
        "Wait, or ask OpenAI for a higher limit (platform.openai.com → Settings → Limits).",
    ),
    Verdict.UPSTREAM_DOWN: Words(
        "OpenAI unreachable",
        "OpenAI could not be reached, so nothing is known of this key yet.",
        "Nothing to do but wait: see status.openai.com, and that this server reaches the internet.",
    ),
}
_RETIRED: Final = Words(
    "workflow retired",
    "OpenAI has shut Agent Builder down, and this workflow with it.",
    "Let this platform answer: Operations → Sunset has what the switch needs. Until then the page shows the tenant's fallback "
    "text.",
)
# What a reason adds to its verdict, or says instead; see chatkit_client/errors.py for those of the OpenAI edge.
_BY_REASON: Final[dict[tuple[Verdict, str], Words]] = {
    (Verdict.INVALID_KEY, "key_unauthorised"): Words(
        "key refused",
        "OpenAI refuses this key here, without calling it invalid.",
        "Check the project's IP allowlist (it must contain this server's address), the key's organization, and that its owner "
        "is still a member.",
    ),
    (Verdict.DEGRADED, "key_unreadable"): Words(
        "cannot be opened",
        "The stored key cannot be opened with the master keys that this process has.",
        "Put the missing key back into MASTER_KEYS and restart, or replace the tenant's key.",
    ),
    (Verdict.DEGRADED, "key_malformed"): Words(
        "cannot be sent",
        "The organization or the project that is stored with the key has characters that no request can carry.",
        "Correct both on the key's page; leave them empty where the key belongs to one project.",
    ),
    (Verdict.DEGRADED, "upstream_not_allowed"): Words(
        "address not allowed",
        "The tenant's OpenAI address is no longer in OPENAI_BASE_URLS.",
        "Add it there and restart, or choose another one on the tenant's page.",
    ),
    (Verdict.DEGRADED, "request_refused"): Words(
        "request refused",
        "OpenAI calls the check malformed: a defect of the platform, or a change of OpenAI's.",
        "Report the upstream request id to whoever maintains the platform.",
    ),
    (Verdict.DEGRADED, "region_blocked"): Words(
        "region blocked",
        "OpenAI does not serve the region that this server calls from.",
        "Send the platform's calls from a supported country.",
    ),
    (Verdict.UNCHECKED, "no_version"): Words(
        "no version",
        "This platform is to answer, but no version of the assistant is published: there is no model to ask.",
        "Publish one on the assistant's page.",
    ),
    (Verdict.UNCHECKED, "check_failed"): Words(
        "check failed",
        "The check itself broke; it says nothing of the key.",
        "The worker's log has the error. The check is repeated.",
    ),
    (Verdict.UNCHECKED, "check_abandoned"): Words(
        "check abandoned",
        "Three workers in a row died during this check; it says nothing of the key.",
        "See in the worker's log, and its memory limit, why it is killed. The check is repeated.",
    ),
}


def words_for(verdict: str, reason: str = "", *, today: date | None = None) -> Words:
    """The words for a verdict or finding; `reason` as stored with a check.

    From SUNSET_DATE on a missing workflow is a retired one.
    """
    known = Verdict(verdict)
    if known == Verdict.WORKFLOW_MISSING and (today or timezone.now().date()) >= settings.SUNSET_DATE:
        return _RETIRED
    return _BY_REASON.get((known, reason), _BY_VERDICT[known])
