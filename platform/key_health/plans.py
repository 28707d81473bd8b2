"""Which checks are wanted, and when: plans are made in the transaction of the change that wants them, and claimed when due."""

import random
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from key_health.models import CheckPlan
from sessions_api.claims import claim_rows
from tenants.models import ApiKey, AssistantKey, TenantState, Verdict
from tenants.models.assistant import Backend

# Longer than the longest slice (tasks.py), so that a claim expires only when its worker was killed.
LEASE: Final = timedelta(seconds=60)
MAX_ATTEMPTS: Final = 3
# A check comes up to this part of its interval early, never late: a dead key is found within one interval, and the checks of keys
# that were added together spread out.
_JITTER: Final = 0.2
# However often somebody presses “Check now”, a pair pays for one answer a minute at most.
ANSWER_SPARED: Final = timedelta(seconds=60)


def plan_key(key_id: uuid.UUID, *, changed: bool = True) -> list[int]:
    """Makes all checks of a key due now, and forgets earlier findings; a retired key, or one of a dying tenant, has no plans.

    Gives the ids of the plans. Where nothing was `changed`, an answer of a model that came a moment ago is not paid for again.
    """
    if not _living_keys().filter(pk=key_id).exists():
        CheckPlan.objects.filter(key_id=key_id).delete()
        return []
    pairs = list(_living_pairs().filter(key_id=key_id).values_list("assistant_id", flat=True))
    CheckPlan.objects.filter(key_id=key_id, assistant__isnull=False).exclude(assistant_id__in=pairs).delete()
    return [_renew(key_id, assistant_id, changed=changed) for assistant_id in (None, *pairs)]


def plan_missing() -> int:
    """Gives a plan to keys and pairs that came without a signal (a restored dump, bulk writes); says to how many."""
    keys = _living_keys().filter(~Exists(CheckPlan.objects.filter(key=OuterRef("pk"), assistant=None)))
    pairs = _living_pairs().filter(
        ~Exists(CheckPlan.objects.filter(key=OuterRef("key_id"), assistant=OuterRef("assistant_id")))
    )
    now = timezone.now()
    plans = [CheckPlan(key_id=key_id, due_at=now) for key_id in keys.values_list("pk", flat=True)]
    plans += [
        CheckPlan(key_id=key, assistant_id=assistant, due_at=now)
        for key, assistant in pairs.values_list("key_id", "assistant_id")
    ]
    if plans:
        CheckPlan.objects.bulk_create(plans, ignore_conflicts=True)
    return len(plans)


def drop_plans(*, tenant_id: uuid.UUID) -> None:
    """Removes the plans of keys that are to be checked no more."""
    CheckPlan.objects.filter(key__tenant_id=tenant_id).exclude(key__in=_living_keys()).delete()


def hurry(plans: QuerySet[CheckPlan]) -> int:
    """Makes these checks due now. Those under way are left alone: their answer is on its way.

    So are those that another transaction is writing now, so that none ever waits here with rows of its own in its hands.
    """
    now = timezone.now()
    with transaction.atomic():
        idle = plans.filter(due_at__gt=now, claim=None).select_for_update(skip_locked=True, of=("self",))
        return CheckPlan.objects.filter(pk__in=[plan.pk for plan in idle.only("pk")]).update(due_at=now)


def claim_due(*, limit: int, only: Iterable[int] | None = None) -> list[CheckPlan]:
    """Claims checks that are due, oldest first, of active tenants; `only` names the plans that may be taken."""
    due = CheckPlan.objects.filter(
        due_at__lte=timezone.now(), key__retired_at=None, key__tenant__state=TenantState.ACTIVE
    )
    if only is not None:
        due = due.filter(pk__in=list(only))
    return claim_rows(
        due.select_related("key__tenant", "assistant__published_version").order_by("due_at"), limit=limit, lease=LEASE
    )


def release(plans: Iterable[CheckPlan]) -> None:
    """Gives back what was claimed but not begun."""
    for plan in plans:
        CheckPlan.objects.filter(pk=plan.pk, claim=plan.claim).update(
            claim=None, claimed_until=None, attempts=max(0, plan.attempts - 1)
        )


def next_due(plan: CheckPlan, verdict: Verdict, again_after: timedelta | None, *, now: datetime) -> datetime:
    """When to look again: pairs that work wait for the long interval, everything else for the short one."""
    if again_after is not None:
        return now + again_after
    interval: timedelta = settings.CHECK_INTERVAL
    if plan.assistant_id is not None and verdict == Verdict.HEALTHY:
        interval = settings.CHECK_FULL_INTERVAL
    return now + interval * random.uniform(1 - _JITTER, 1)  # noqa: S311 (spreads load, guards nothing)


def _renew(key_id: uuid.UUID, assistant_id: uuid.UUID | None, *, changed: bool) -> int:
    """Taking the claim away makes a check that is under way count for nothing: it looked at what was there before."""
    plan, _ = CheckPlan.objects.update_or_create(
        key_id=key_id,
        assistant_id=assistant_id,  # type: ignore[misc] # the stubs know no None here; Django looks for NULL
        defaults={
            "due_at": timezone.now(),
            "claim": None,
            "claimed_until": None,
            "attempts": 0,
            "recent": [],
            **({"answered_at": None} if changed else {}),
        },
    )
    if not changed and plan.answered_at is not None and plan.answered_at < timezone.now() - ANSWER_SPARED:
        CheckPlan.objects.filter(pk=plan.pk).update(answered_at=None)
    return plan.pk


def _living_keys() -> QuerySet[ApiKey]:
    return ApiKey.objects.filter(retired_at=None).exclude(tenant__state=TenantState.DELETING)


def _living_pairs() -> QuerySet[AssistantKey]:
    """Without those of an assistant that has nothing to be asked with yet: one of ours before its first version."""
    has_model = Q(assistant__backend=Backend.PLATFORM, assistant__published_version__isnull=False)
    return AssistantKey.objects.filter(
        Q(assistant__backend=Backend.HOSTED_WORKFLOW) | has_model, key__in=_living_keys()
    )
