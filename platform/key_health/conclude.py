"""Writes one finding down, all or nothing: the check's row, the verdict where it flips, its event, the next due time."""

import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from audit.actions import Action
from audit.changes import described
from audit.record import SYSTEM, record
from chatkit_client.errors import Reason
from key_health.models import CheckKind, CheckPlan, KeyCheck
from key_health.plans import hurry, next_due
from key_health.verdicts import Finding, decide
from tenants.audit_subjects import subject_of
from tenants.models import ApiKey, AssistantKey, Verdict
from tenants.models.key import CONDEMNED

# What a pair check may learn of the key itself: worth asking about the key alone, at once.
_OF_THE_KEY = frozenset({Reason.INVALID_KEY, Reason.KEY_UNAUTHORISED})


class _ClaimLost(Exception):
    pass


def conclude(plan: CheckPlan, finding: Finding) -> bool:
    """False where the claim is no longer ours: then nothing is written, for whoever has it now will look again."""
    subject = _subject(plan)
    if subject is None:
        CheckPlan.objects.filter(pk=plan.pk).delete()
        return False
    try:
        with transaction.atomic():
            _conclude(plan, subject, finding, now=timezone.now())
    except _ClaimLost:
        return False
    return True


def _conclude(plan: CheckPlan, subject: ApiKey | AssistantKey, finding: Finding, *, now: datetime) -> None:
    before = Verdict(subject.verdict)
    decision = decide(before, plan.recent, finding)
    # The rows of the configuration first and the plan after them, as every change of a key does: the other way round two
    # transactions could wait for each other.
    if not write_verdict(subject, decision.verdict, now=now):
        raise _ClaimLost
    kept = CheckPlan.objects.filter(pk=plan.pk, claim=plan.claim).update(
        due_at=next_due(plan, decision.verdict, decision.again_after, now=now),
        claim=None,
        claimed_until=None,
        attempts=0,
        recent=list(decision.recent),
        answered_at=_answered_at(plan, finding, now=now),
    )
    if not kept:
        raise _ClaimLost
    write_check(
        slot=plan.slot, key_id=plan.key_id, assistant_id=plan.assistant_id, kind=plan.kind, finding=finding, now=now
    )
    _wake_related(plan, before, decision.verdict, finding)
    if decision.verdict != before:
        record_flip(subject, before, decision.verdict, finding)


def _answered_at(plan: CheckPlan, finding: Finding, *, now: datetime) -> datetime | None:
    """Once something is wrong, only an answer proves that it is right again: a model that is seen may still be unpaid."""
    if finding.verdict == Verdict.HEALTHY:
        return now if plan.kind == CheckKind.ANSWER else plan.answered_at
    return plan.answered_at if finding.verdict in (Verdict.UPSTREAM_DOWN, Verdict.UNCHECKED) else None


def write_verdict(subject: ApiKey | AssistantKey, verdict: Verdict, *, now: datetime) -> bool:
    """Writes the verdict only where it flips: a flip is announced to every web process, a mere check is not.

    False where it was written anew meanwhile (a replaced key is unchecked again): the finding is about the past.
    """
    row = type(subject).objects.filter(pk=subject.pk)
    if verdict == subject.verdict:
        return bool(row.update(checked_at=now))
    as_it_was = row.filter(verdict=subject.verdict, verdict_since=subject.verdict_since)
    return bool(as_it_was.update(verdict=verdict, verdict_since=now, checked_at=now))


def write_check(
    *,
    slot: uuid.UUID,
    key_id: uuid.UUID,
    assistant_id: uuid.UUID | None,
    kind: CheckKind,
    finding: Finding,
    now: datetime,
) -> None:
    """A slot that was written before stays as it is."""
    check = KeyCheck(
        slot=slot,
        key_id=key_id,
        assistant_id=assistant_id,
        kind=kind,
        at=now,
        finding=finding.verdict,
        reason=finding.reason,
        upstream_status=finding.status,
        upstream_code=finding.code[:64],
        upstream_request_id=finding.request_id[:128],
        latency_ms=finding.latency_ms,
    )
    # One statement that passes over a known slot; `get_or_create` takes four.
    KeyCheck.objects.bulk_create([check], ignore_conflicts=True)


def record_flip(subject: ApiKey | AssistantKey, before: Verdict, after: Verdict, finding: Finding) -> None:
    facts = {
        "reason": finding.reason,
        "upstream_status": finding.status,
        "upstream_code": finding.code,
        "upstream_request_id": finding.request_id,
    }
    record(
        Action.KEY_VERDICT_CHANGED if isinstance(subject, ApiKey) else Action.PAIR_VERDICT_CHANGED,
        actor=SYSTEM,
        subject=subject_of(subject),
        changes=described(
            ["verdict"],
            {"verdict": {"old": before.value, "new": after.value}},
            **{name: fact for name, fact in facts.items() if fact},
        ),
    )


def _subject(plan: CheckPlan) -> ApiKey | AssistantKey | None:
    """The row whose verdict this check is about, as it is now."""
    if plan.assistant_id is None:
        return ApiKey.objects.select_related("tenant").filter(pk=plan.key_id).first()
    pairs = AssistantKey.objects.select_related("key", "assistant__tenant")
    return pairs.filter(key_id=plan.key_id, assistant_id=plan.assistant_id).first()


def _wake_related(plan: CheckPlan, before: Verdict, after: Verdict, finding: Finding) -> None:
    """A key and its pairs are judged apart, but what one check learns makes the other's due."""
    plans = CheckPlan.objects.filter(key_id=plan.key_id)
    if plan.assistant_id is None:
        if before in CONDEMNED and after == Verdict.HEALTHY:
            hurry(plans.filter(assistant__isnull=False))
        return
    key_is_condemned = ApiKey.objects.filter(pk=plan.key_id, verdict__in=CONDEMNED).exists()
    revives_key = key_is_condemned and finding.verdict == Verdict.HEALTHY
    accuses_key = not key_is_condemned and finding.reason in _OF_THE_KEY
    if revives_key or accuses_key:
        hurry(plans.filter(assistant=None))
