"""Who is broken now: keys that do not work, and tenants and assistants that have none to work with."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When

from sessions_api.models import SessionRequest
from tenants.badges import tone_of
from tenants.models import AllowedDomain, ApiKey, Assistant, AssistantKey, Tenant, TenantState, Verdict
from tenants.models.key import CONDEMNED
from tenants.verdict_words import Words, words_for


class Gap(models.TextChoices):
    """What is missing, where no key's verdict can tell it."""

    NO_KEY = "no_key", "no usable key"
    NO_DEFAULT_ASSISTANT = "no_default_assistant", "no default assistant"


_WORDS: Final = {
    Gap.NO_KEY: Words(
        str(Gap.NO_KEY.label),
        "There is no key in use (a retired one is not), so visitors get no session.",
        "Add a key on the tenant's page and give it to the assistant.",
    ),
    Gap.NO_DEFAULT_ASSISTANT: Words(
        str(Gap.NO_DEFAULT_ASSISTANT.label),
        "No assistant is the default, so a page whose snippet names none gets no session.",
        "Make one the default on the assistant's page.",
    ),
}


@dataclass(frozen=True, slots=True)
class BrokenTenant:
    """What of a tenant does not work, and since when. `key` is empty for a gap, `assistant` where it is about all of them."""

    tenant: Tenant
    assistant: str
    key: str
    key_id: UUID | None
    verdict: Verdict | Gap
    since: datetime | None
    checked_at: datetime | None

    @property
    def words(self) -> Words:
        return _WORDS[self.verdict] if isinstance(self.verdict, Gap) else words_for(self.verdict)

    @property
    def tone(self) -> str:
        return "bad" if isinstance(self.verdict, Gap) else tone_of(self.verdict)

    @property
    def reach(self) -> str:
        """Which assistants are hit."""
        return self.assistant or ("–" if self.verdict == Gap.NO_DEFAULT_ASSISTANT else "every one")


def who_is_broken(*, most: int = 50) -> tuple[BrokenTenant, ...]:
    """Of active tenants: gaps, then what is condemned, then other verdicts that are neither healthy nor unknown.

    Keys come before pairs, the longest broken first.
    """
    found = [*gaps(), *_unwell_keys(most), *_unwell_pairs(most)]
    found.sort(key=lambda broken: broken.tone != "bad")
    return tuple(found[:most])


def gaps() -> tuple[BrokenTenant, ...]:
    """Active tenants, and assistants of theirs, that no key serves, and tenants whose default assistant is missing.

    A tenant that never had a key and was never asked for a session is not set up yet, which is not broken.
    """
    found = chain(_gaps_of_tenants(), _assistants_without_key())
    return tuple(sorted(found, key=lambda gap: gap.verdict != Gap.NO_KEY))


def _gaps_of_tenants() -> list[BrokenTenant]:
    keys, assistants = _of_tenant(ApiKey), _of_tenant(Assistant)
    tenants = Tenant.objects.filter(
        Exists(keys) | Exists(_of_tenant(SessionRequest)), state=TenantState.ACTIVE
    ).annotate(
        has_key=Exists(keys.filter(retired_at__isnull=True)),
        has_default=Exists(assistants.filter(is_default=True)),
        is_used=Exists(assistants) | Exists(_of_tenant(AllowedDomain)),
        retired_at=Subquery(keys.order_by("-retired_at").values("retired_at")[:1]),
    )
    found = []
    for tenant in tenants.filter(Q(has_key=False) | Q(has_default=False, is_used=True)).defer("user_scope_token"):
        if not tenant.has_key:
            found.append(_gap(tenant, Gap.NO_KEY, since=tenant.retired_at))
        if not tenant.has_default and tenant.is_used:
            found.append(_gap(tenant, Gap.NO_DEFAULT_ASSISTANT))
    return found


def _assistants_without_key() -> list[BrokenTenant]:
    """Of tenants that have a key in use: those without one are told as a whole."""
    in_use = ApiKey.objects.filter(tenant=OuterRef("tenant"), retired_at__isnull=True)
    pairs = AssistantKey.objects.filter(assistant=OuterRef("pk"))
    assistants = (
        Assistant.objects.filter(Exists(in_use), tenant__state=TenantState.ACTIVE)
        .exclude(Exists(pairs.filter(key__retired_at__isnull=True)))
        .annotate(retired_at=Subquery(pairs.order_by("-key__retired_at").values("key__retired_at")[:1]))
        .select_related("tenant")
        .defer("tenant__user_scope_token")
    )
    return [
        _gap(assistant.tenant, Gap.NO_KEY, assistant=assistant.name, since=assistant.retired_at)
        for assistant in assistants
    ]


def _gap(tenant: Tenant, gap: Gap, *, assistant: str = "", since: datetime | None = None) -> BrokenTenant:
    return BrokenTenant(tenant, assistant, "", None, gap, since, None)


def _of_tenant(model: type[models.Model]) -> QuerySet[Any]:
    rows: QuerySet[Any] = model._default_manager.filter(tenant=OuterRef("pk"))
    return rows.order_by()


_UNWELL: Final = ~Q(verdict__in=[Verdict.HEALTHY, Verdict.UNCHECKED])
# What is condemned before what may mend itself: a long list of the latter must not push it out.
_URGENCY: Final = Case(When(verdict__in=CONDEMNED, then=0), default=1)


def _unwell_keys(most: int) -> list[BrokenTenant]:
    keys = ApiKey.objects.filter(_UNWELL, retired_at__isnull=True, tenant__state=TenantState.ACTIVE)
    rows = keys.select_related("tenant").defer("token", "tenant__user_scope_token")
    return [
        BrokenTenant(key.tenant, "", str(key), key.pk, Verdict(key.verdict), key.verdict_since, key.checked_at)
        for key in rows.order_by(_URGENCY, "verdict_since")[:most]
    ]


def _unwell_pairs(most: int) -> list[BrokenTenant]:
    """Without those that only repeat what is said of the key: one that is refused makes each of its pairs fail."""
    pairs = AssistantKey.objects.filter(_UNWELL, key__retired_at__isnull=True, key__tenant__state=TenantState.ACTIVE)
    own = pairs.exclude(key__verdict__in=CONDEMNED).exclude(key__verdict=F("verdict"))
    rows = own.select_related("key__tenant", "assistant").defer("key__token", "key__tenant__user_scope_token")
    return [
        BrokenTenant(
            pair.key.tenant,
            pair.assistant.name,
            str(pair.key),
            pair.key_id,
            Verdict(pair.verdict),
            pair.verdict_since,
            pair.checked_at,
        )
        for pair in rows.order_by(_URGENCY, "verdict_since")[:most]
    ]
