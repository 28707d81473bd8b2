"""What visitors' sessions say of keys, for nothing: the web processes write no verdict, so the tick reads their ledger.

A granted session proves the pair and the key. A refusal by OpenAI condemns nothing by itself: it makes the real check due now.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from chatkit_client.errors import Reason
from key_health.conclude import record_flip, write_check, write_verdict
from key_health.models import CheckKind, CheckPlan
from key_health.plans import hurry
from key_health.verdicts import Finding
from sessions_api.mint import WORKFLOW_RETIRED
from sessions_api.models import SessionRequest
from tenants.models import ApiKey, AssistantKey, Verdict
from tenants.models.epoch import SEEN_WITHIN
from tenants.models.key import CONDEMNED

# Several ticks: a late commit is seen by the next one, and what is seen twice changes nothing twice.
LOOKS_BACK: Final = timedelta(seconds=60)
GRANTED: Final = "granted"
_DOUBTS_THE_KEY: Final = (Reason.INVALID_KEY, Reason.KEY_UNAUTHORISED, Reason.MISSING_SCOPE, Reason.BILLING)
_DOUBTS_THE_PAIR: Final = (Reason.WORKFLOW_MISSING, WORKFLOW_RETIRED, Reason.MISSING_SCOPE, Reason.BILLING)
# Condemned ones get no traffic, so what the ledger says of them is from before.
_PROVEN_BY_TRAFFIC: Final = [verdict for verdict in Verdict.values if verdict not in CONDEMNED | {Verdict.HEALTHY}]


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest of equal rows of the ledger."""

    key_id: uuid.UUID
    assistant_slug: str
    reason: str
    at: datetime


def learn_from_traffic() -> None:
    for seen in _seen(Q(outcome=GRANTED) & Q(key_id__in=_unproven_keys())):
        _prove(seen)
    # Without a status OpenAI was not asked: the refusal repeats a verdict of ours.
    for seen in _seen(Q(reason__in={*_DOUBTS_THE_KEY, *_DOUBTS_THE_PAIR}, upstream_status__isnull=False)):
        _doubt(seen)


def _seen(rows: Q) -> list[Seen]:
    recent = SessionRequest.objects.filter(rows, at__gte=timezone.now() - LOOKS_BACK, key_id__isnull=False)
    groups = recent.order_by().values_list("key_id", "assistant_slug", "reason").annotate(newest=Max("at"))
    return [Seen(*group) for group in groups]


def _unproven_keys() -> list[uuid.UUID]:
    keys = (
        ApiKey.objects.filter(retired_at=None, verdict__in=_PROVEN_BY_TRAFFIC).order_by().values_list("pk", flat=True)
    )
    pairs = AssistantKey.objects.filter(verdict__in=_PROVEN_BY_TRAFFIC).order_by().values_list("key_id", flat=True)
    return list(keys.union(pairs))


def _prove(seen: Seen) -> None:
    pairs = AssistantKey.objects.select_related("key__tenant", "assistant__tenant")
    pair = pairs.filter(key_id=seen.key_id, assistant__slug=seen.assistant_slug).first()
    if pair is None:
        return
    for subject in (pair.key, pair):
        if _is_news(subject, seen):
            _heal(subject, seen)


def _is_news(subject: ApiKey | AssistantKey, seen: Seen) -> bool:
    """Newer than the last check, which otherwise knows better, and than the key and workflow: it may speak of those before."""
    if subject.verdict not in _PROVEN_BY_TRAFFIC or seen.at <= subject.verdict_since + SEEN_WITHIN:
        return False
    return subject.checked_at is None or seen.at > subject.checked_at


def _heal(subject: ApiKey | AssistantKey, seen: Seen) -> None:
    finding = Finding(Verdict.HEALTHY, "live_traffic")
    before, now = Verdict(subject.verdict), timezone.now()
    assistant_id = subject.assistant_id if isinstance(subject, AssistantKey) else None
    with transaction.atomic():
        if not write_verdict(subject, Verdict.HEALTHY, now=now):
            return
        slot = uuid.uuid5(uuid.NAMESPACE_OID, f"live traffic {subject.pk} {seen.at.isoformat()}")
        write_check(
            slot=slot, key_id=seen.key_id, assistant_id=assistant_id, kind=CheckKind.LIVE, finding=finding, now=now
        )
        CheckPlan.objects.filter(key=seen.key_id, assistant=assistant_id).update(recent=[])
        record_flip(subject, before, Verdict.HEALTHY, finding)


def _doubt(seen: Seen) -> None:
    """Asks again where nothing is suspected yet; where something is, the second look has its time (verdicts.py)."""
    plans = CheckPlan.objects.filter(key_id=seen.key_id)
    settled = set(CONDEMNED)
    if seen.reason != Reason.INVALID_KEY:
        settled.add(Verdict.DEGRADED)
    unaware = Q(checked_at=None) | Q(checked_at__lt=seen.at)
    if (
        seen.reason in _DOUBTS_THE_KEY
        and ApiKey.objects.filter(unaware, pk=seen.key_id).exclude(verdict__in=settled).exists()
    ):
        hurry(plans.filter(assistant=None))
    if seen.reason in _DOUBTS_THE_PAIR:
        pairs = AssistantKey.objects.filter(unaware, key_id=seen.key_id, assistant__slug=seen.assistant_slug)
        hurry(plans.filter(assistant__in=pairs.exclude(verdict__in=settled).values("assistant")))
