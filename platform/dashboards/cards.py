"""The first page's figures: what an operator wants to know before anything else."""

from collections.abc import Iterator

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse

from console.cards import Card, Tone, register_cards
from dashboards.broken import gaps
from tenants.models import ApiKey, AssistantKey, Tenant, TenantState, Verdict
from tenants.models.key import CONDEMNED


@register_cards
def platform_cards(request: HttpRequest) -> Iterator[Card]:
    if not request.user.has_perm("tenants.view_tenant"):
        return
    yield _tenants()
    yield _gaps()
    yield from _keys()


def _tenants() -> Card:
    counted = Tenant.objects.aggregate(
        active=Count("pk", filter=Q(state=TenantState.ACTIVE)), others=Count("pk", filter=~Q(state=TenantState.ACTIVE))
    )
    note = f"{counted['others']} suspended or being deleted" if counted["others"] else "none suspended"
    return Card("Active tenants", str(counted["active"]), note, Tone.INFO, reverse("admin:tenants_tenant_changelist"))


def _gaps() -> Card:
    """Keys that are not there have no verdict, so no count of keys would tell."""
    unserved = len({gap.tenant.pk for gap in gaps()})
    note = "no usable key, or no default assistant" if unserved else "each that is set up has a key in use"
    return Card("Tenants left unserved", str(unserved), note, Tone.BAD if unserved else Tone.OK, reverse("operations"))


def _keys() -> Iterator[Card]:
    """A key counts as broken for its own verdict or for that of a pair; neither retired keys nor tenants out of use count."""
    living = ApiKey.objects.filter(retired_at__isnull=True, tenant__state=TenantState.ACTIVE)
    pairs = AssistantKey.objects.filter(key__retired_at__isnull=True, verdict__in=CONDEMNED)
    broken = living.filter(Q(verdict__in=CONDEMNED) | Q(pk__in=pairs.values("key"))).count()
    unsure = living.filter(verdict__in=(Verdict.DEGRADED, Verdict.THROTTLED, Verdict.UPSTREAM_DOWN)).count()
    healthy = living.filter(verdict=Verdict.HEALTHY).exclude(pk__in=pairs.values("key")).count()
    unchecked = living.filter(verdict=Verdict.UNCHECKED).count()
    page = reverse("admin:tenants_apikey_changelist")
    yield Card(
        "Broken keys",
        str(broken),
        "visitors get no session with these" if broken else "no key in use is refused",
        Tone.BAD if broken else Tone.OK,
        page,
    )
    yield Card("Healthy keys", str(healthy), f"{unchecked} not checked yet", Tone.OK if healthy else Tone.IDLE, page)
    yield Card(
        "Unsure keys",
        str(unsure),
        "slow, throttled or OpenAI unreachable" if unsure else "none slow or throttled",
        Tone.WARN if unsure else Tone.IDLE,
        page,
    )
