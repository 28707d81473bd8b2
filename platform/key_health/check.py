"""The deed: checks what is due, many keys at once, and writes each finding down as it comes in."""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.db import Error as DatabaseError

from key_health.conclude import conclude
from key_health.models import CheckPlan
from key_health.plans import MAX_ATTEMPTS, claim_due, release
from key_health.probes import CONCURRENCY, Probe, run_probes
from key_health.verdicts import Finding
from sessions_api.edge import make_transport
from tenants.credentials import KeyUnusable, credentials_of
from tenants.models import AssistantKey, Verdict
from tenants.models.assistant import Backend
from tenants.upstreams import upstream

logger = logging.getLogger(__name__)

# Several crews' worth, so that one slow answer does not keep the next batch waiting.
BATCH: Final = 5 * CONCURRENCY
# No check is begun after this; the last ones may take two deadlines, or one and two cancellations, more (probes.py), which is
# well below the 30 s of a task.
SLICE_SECONDS: Final = 10.0


def check_due(*, only: Sequence[int] | None = None) -> int:
    """Checks what is due, oldest first, for at most one slice; `only` names the plans. Gives the number of findings written."""
    ends = time.monotonic() + SLICE_SECONDS
    concluded = 0
    while (left := ends - time.monotonic()) > 0:
        plans = claim_due(limit=BATCH, only=only)
        if not plans:
            break
        concluded += sum(1 for _ in check_claimed(plans, begin_within=left))
    return concluded


def check_claimed(
    plans: Iterable[CheckPlan], *, begin_within: float = SLICE_SECONDS
) -> Iterator[tuple[CheckPlan, Finding]]:
    """Checks claimed plans and gives each with its finding, as soon as that is written down.

    A finding whose claim was lost meanwhile (the key was replaced, or the check took too long) counts for nothing. What could not
    begin within so many seconds is given back.
    """
    by_number = {plan.pk: plan for plan in plans}
    probes = []
    for plan in by_number.values():
        prepared = prepare(plan)
        if isinstance(prepared, Probe):
            probes.append(prepared)
        elif _written(plan, prepared):
            yield plan, prepared
    if not probes:
        return
    not_begun = []
    for number, finding in run_probes(probes, make_transport(connections=CONCURRENCY), begin_within=begin_within):
        plan = by_number[number]
        if finding is None:
            not_begun.append(plan)
        elif _written(plan, finding):
            yield plan, finding
    release(not_begun)


def _written(plan: CheckPlan, finding: Finding) -> bool:
    """One row that cannot be written must not cost the others theirs; its claim expires and it is taken up again."""
    try:
        return conclude(plan, finding)
    except DatabaseError:
        logger.exception("a finding could not be written; the check is repeated", extra={"key_id": str(plan.key_id)})
        return False


def _only_model_of(key_id: uuid.UUID) -> str:
    """A model that the key is used with, where it is used with nothing else: then it needs no access to ChatKit. Else blank."""
    pairs = AssistantKey.objects.filter(key_id=key_id).values_list(
        "assistant__backend", "assistant__published_version__model"
    )
    models = [model for backend, model in pairs if backend != Backend.HOSTED_WORKFLOW]
    is_hosted = any(backend == Backend.HOSTED_WORKFLOW for backend, _ in pairs)
    return "" if is_hosted else next((model for model in models if model), "")


def prepare(plan: CheckPlan) -> Probe | Finding:
    """What to ask, or what is already clear without asking."""
    if plan.attempts > MAX_ATTEMPTS:
        return Finding(Verdict.UNCHECKED, "check_abandoned")
    tenant, assistant = plan.key.tenant, plan.assistant
    try:
        base_url = upstream(tenant.upstream).base_url
    except KeyError:
        return Finding(Verdict.DEGRADED, "upstream_not_allowed")
    try:
        credentials = credentials_of(plan.key)
    except KeyUnusable as error:
        return Finding(Verdict.DEGRADED, error.reason)
    if assistant is None:
        return Probe(plan.pk, base_url, credentials, model=_only_model_of(plan.key_id), is_of_key=True)
    if assistant.backend != Backend.HOSTED_WORKFLOW:
        version = assistant.published_version
        if version is None:
            return Finding(Verdict.UNCHECKED, "no_version")
        return Probe(plan.pk, base_url, credentials, model=version.model, wants_answer=plan.wants_answer)
    return Probe(
        plan.pk,
        base_url,
        credentials,
        # No visitor's user looks like this one (gateway/visitor_tokens.py), so the probe reaches nobody's threads.
        user=f"v1.{tenant.public_id}.healthcheck",
        workflow_id=assistant.workflow_id,
        workflow_version=assistant.workflow_version or None,
    )
