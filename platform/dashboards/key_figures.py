"""How many keys, pairs and tenants stand at which state; the page, the API and the metrics show the same figures."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Case, CharField, Count, F, Max, Q, QuerySet, Value, When

from tenants.badges import BY_URGENCY, tone_of, worst
from tenants.models import ApiKey, AssistantKey, Tenant, TenantState, Verdict
from tenants.models.key import CONDEMNED
from tenants.verdict_words import words_for

# What stands in a verdict's place where a tenant has no key in use.
NO_KEY: Final = "no_key"


@dataclass(frozen=True, slots=True)
class KeyState:
    """How many of a kind stand at one verdict."""

    verdict: Verdict
    keys: int
    pairs: int


@dataclass(frozen=True, slots=True)
class TenantsAtState:
    """How many active tenants have this as the worst state of their keys: a verdict's value, or NO_KEY."""

    state: str
    tenants: int

    @property
    def title(self) -> str:
        return "no key" if self.state == NO_KEY else words_for(self.state).title

    @property
    def tone(self) -> str:
        return "idle" if self.state == NO_KEY else tone_of(self.state)


def pairs_in_use() -> QuerySet[Any]:
    """Pairs of keys that are not retired, with `state`: a condemned key's verdict is that of each of its pairs, too."""
    state = Case(
        *(When(key__verdict=verdict, then=Value(verdict.value)) for verdict in CONDEMNED),
        default=F("verdict"),
        output_field=CharField(),
    )
    pairs: QuerySet[Any] = AssistantKey.objects.order_by().annotate(state=state)
    return pairs.filter(key__retired_at__isnull=True)


def key_states() -> tuple[KeyState, ...]:
    """Keys and (key, assistant) pairs in use by active tenants, by verdict; verdicts that nothing has are left out."""
    in_use = Q(retired_at__isnull=True, tenant__state=TenantState.ACTIVE)
    keys = dict(ApiKey.objects.filter(in_use).order_by().values_list("verdict").annotate(amount=Count("pk")))
    of_active = pairs_in_use().filter(key__tenant__state=TenantState.ACTIVE)
    pairs = dict(of_active.values_list("state").annotate(amount=Count("pk")))
    return tuple(
        KeyState(verdict, keys.get(verdict, 0), pairs.get(verdict, 0))
        for verdict in Verdict
        if verdict in keys or verdict in pairs
    )


def worst_states() -> dict[UUID, str]:
    """The worst verdict among the keys in use, and their pairs, of each tenant that has any: two queries for all."""
    keys = ApiKey.objects.filter(retired_at__isnull=True).order_by().values_list("tenant_id", "verdict").distinct()
    pairs = pairs_in_use().values_list("key__tenant_id", "state").distinct()
    found: dict[UUID, set[str]] = {}
    for tenant_id, verdict in (*keys, *pairs):
        found.setdefault(tenant_id, set()).add(verdict)
    return {tenant_id: str(worst(verdicts)) for tenant_id, verdicts in found.items()}


def tenants_by_state() -> tuple[TenantsAtState, ...]:
    """Active tenants by the worst state of their keys, the most urgent first, those without a key last."""
    states = worst_states()
    active = Tenant.objects.filter(state=TenantState.ACTIVE).order_by().values_list("pk", flat=True)
    counted = Counter(states.get(pk, NO_KEY) for pk in active)
    order = (*(verdict.value for verdict in BY_URGENCY), NO_KEY)
    return tuple(TenantsAtState(state, counted[state]) for state in order if counted[state])


def last_check_at() -> datetime | None:
    """When any key was last checked: old means that worker or beat is not running."""
    latest: datetime | None = ApiKey.objects.aggregate(latest=Max("checked_at"))["latest"]
    return latest.astimezone(UTC) if latest else None
