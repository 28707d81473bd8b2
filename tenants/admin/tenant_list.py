"""The list of tenants: who is broken is seen at a glance, and the number of queries does not grow with the rows."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from tenants.badges import BY_URGENCY, badge, state_badge, verdict_badge, worst
from tenants.models import AllowedDomain, ApiKey, Assistant, AssistantKey, Tenant, Verdict
from tenants.models.key import CONDEMNED
from tenants.verdict_words import words_for

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Tenant]
else:
    _ModelAdmin = object


class TenantChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        keys = ApiKey.objects.filter(retired_at__isnull=True).defer("token")
        pairs = AssistantKey.objects.only("key_id", "verdict")
        watched: list[Prefetch[Any, Any, Any]] = [
            Prefetch("keys", queryset=keys.prefetch_related(Prefetch("pairs", queryset=pairs)), to_attr="keys_in_use"),
            Prefetch("assistants", queryset=Assistant.objects.filter(is_default=True), to_attr="defaults"),
            Prefetch("domains", queryset=AllowedDomain.objects.only("tenant_id"), to_attr="websites"),
        ]
        rows: QuerySet[Any] = super().get_queryset(request, *args, **kwargs).defer("user_scope_token")
        return rows.prefetch_related(*watched)


class KeyStateFilter(admin.SimpleListFilter):
    """By the state of any key in use, or of its use by an assistant."""

    title = "keys"
    parameter_name = "keys"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        states = [(str(verdict.value), words_for(verdict).title) for verdict in BY_URGENCY]
        return [("broken", "broken: any refusal"), *states, ("none", "no key")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen is None:
            return queryset
        in_use = ApiKey.objects.filter(retired_at__isnull=True)
        if chosen == "none":
            return queryset.exclude(pk__in=in_use.values("tenant_id"))
        wanted = CONDEMNED if chosen == "broken" else {chosen}
        found = in_use.filter(Q(verdict__in=wanted) | Q(pairs__verdict__in=wanted))
        return queryset.filter(pk__in=found.values("tenant_id"))


class TenantList(_ModelAdmin):
    list_display = ("name", "shown_state", "key_state", "last_check", "default_assistant", "website_count")
    list_filter = ("state", KeyStateFilter, "upstream")
    search_fields = ("name", "slug", "public_id", "domains__host", "assistants__workflow_id")
    search_help_text = "Name, slug, public ID, domain or workflow ID"
    ordering = ("name",)
    list_per_page = 50
    # Deletion has an order and a page of its own.
    actions = None

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Tenants", **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TenantChangeList

    @admin.display(description="state", ordering="state")
    def shown_state(self, tenant: Tenant) -> SafeString:
        return state_badge(tenant)

    @admin.display(description="keys")
    def key_state(self, tenant: Any) -> SafeString:
        keys = tenant.keys_in_use
        if not keys:
            return badge("no key", "warn")
        found = worst(
            [verdict for key in keys for verdict in (key.verdict, *(pair.verdict for pair in key.pairs.all()))]
        )
        if len(keys) == 1 or found is None:
            return verdict_badge(found or Verdict.UNCHECKED)
        touched = sum(found in (key.verdict, *(pair.verdict for pair in key.pairs.all())) for key in keys)
        return format_html('{} <span class="muted small">{} of {}</span>', verdict_badge(found), touched, len(keys))

    @admin.display(description="last check")
    def last_check(self, tenant: Any) -> str:
        # The key that was checked longest ago: it is the one that nobody may be looking at.
        checks: list[datetime | None] = [key.checked_at for key in tenant.keys_in_use]
        if not checks:
            return "–"
        oldest = min((at for at in checks if at is not None), default=None)
        if oldest is None or None in checks:
            return "never"
        return f"{timesince(oldest, timezone.now(), depth=1)} ago"

    @admin.display(description="default assistant")
    def default_assistant(self, tenant: Any) -> str:
        return str(tenant.defaults[0]) if tenant.defaults else "none"

    @admin.display(description="websites")
    def website_count(self, tenant: Any) -> int:
        return len(tenant.websites)
