"""The ledger of model runs in the console: to look things up, and never to change anything."""

from typing import Any, ClassVar, Final

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.filters import TenantFilter, WhenFilter
from audit.read_only import ReadOnlyAdmin, moment, two_lines
from chat_server.budget_usage import dollars
from chat_server.models import ChatRun, ModelPrice
from chat_server.run_outcomes import codes_of_runs, explain_run, group_of_run, in_words
from console.badges import badge
from sessions_api.outcomes import OutcomeGroup
from tenants.models import AgentVersion, ApiKey, Tenant

_MOST_CHOICES: Final = 100


class RunOutcomeFilter(admin.SimpleListFilter):
    """By group; once a group is chosen, by its codes."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = self.value()
        choices: list[tuple[str, str]] = []
        for group in OutcomeGroup:
            codes = codes_of_runs(group)
            choices.append((group.value, in_words(group)))
            if chosen in {group.value, *codes}:
                choices += [(code, f"– {code}") for code in codes]
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(outcome__in=codes_of_runs(chosen) if chosen in OutcomeGroup.values else [chosen])


class ModelFilter(admin.SimpleListFilter):
    """By the models of versions and of the price table: to find all that ever ran would read the whole ledger."""

    title = "model"
    parameter_name = "model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        of_versions = AgentVersion.objects.order_by().values_list("model", flat=True).distinct()[:_MOST_CHOICES]
        of_prices = ModelPrice.objects.order_by().values_list("model", flat=True).distinct()[:_MOST_CHOICES]
        return [(model, model) for model in sorted({*of_versions, *of_prices})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() else queryset


@admin.register(ChatRun)
class ChatRunAdmin(ReadOnlyAdmin):
    list_display = ["when", "tenant_named", "result", "ran", "tokens", "cost", "took_both"]
    list_filter = [RunOutcomeFilter, ("at", WhenFilter), TenantFilter, ModelFilter]
    # Draws the search field; `get_search_results` decides which column is searched.
    search_fields = ["=request_id"]
    search_help_text = "A whole request ID, as the page's console and X-Request-ID have it."
    # Sorting by anything but time would sort the whole table.
    sortable_by: ClassVar[list[str]] = []
    fieldsets = [
        (
            "What happened",
            {
                "fields": [
                    "when",
                    "tenant_named",
                    "assistant_slug",
                    "version",
                    "operation",
                    "result",
                    "behind",
                    "would_refuse",
                ]
            },
        ),
        (
            "The model",
            {"fields": ["model", "turns", "tokens", "cost", "first_ms", "latency_ms", "key", "upstream_request_id"]},
        ),
        ("Who asked", {"fields": ["visitor_ref", "origin", "request_id"]}),
    ]
    readonly_fields: ClassVar[Any] = ["when", "tenant_named", "version", "result", "behind", "tokens", "cost", "key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatRun]:
        rows: QuerySet[ChatRun] = super().get_queryset(request)
        # No join: the rows of a tenant that is gone would be missing from its own list.
        return rows.prefetch_related(Prefetch("tenant", Tenant.objects.only("name")))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the index on whole request ids: part of a word would read the whole ledger."""
        term = search_term.strip()
        return (queryset.filter(request_id=term) if term else queryset), False

    @admin.display(description="when (UTC)")
    def when(self, row: ChatRun) -> SafeString:
        return moment(row.at)

    @admin.display(description="tenant")
    def tenant_named(self, row: ChatRun) -> str:
        return str(row.tenant) if row.tenant else f"deleted: {row.tenant_id}"

    @admin.display(description="outcome")
    def result(self, row: ChatRun) -> SafeString:
        notes = [row.reason, f"on trial: {row.would_refuse}" if row.would_refuse else ""]
        return two_lines(badge(group_of_run(row.outcome), row.outcome), ", ".join(note for note in notes if note))

    @admin.display(description="what lies behind it", empty_value="–")
    def behind(self, row: ChatRun) -> str:
        return explain_run(row.outcome, row.reason)

    @admin.display(description="model, version")
    def ran(self, row: ChatRun) -> SafeString:
        return two_lines(row.model or "–", f"{row.assistant_slug}, {self.version(row)}")

    @admin.display(description="version")
    def version(self, row: ChatRun) -> str:
        return "the draft, on trial" if row.agent_version is None else f"version {row.agent_version}"

    @admin.display(description="tokens")
    def tokens(self, row: ChatRun) -> SafeString:
        counted = f"{row.input_tokens:,} in, {row.output_tokens:,} out"
        cached = f"{row.cached_tokens:,} cached" if row.cached_tokens else ""
        notes = ", ".join(note for note in (cached, "estimated" if row.is_estimated else "") if note)
        return format_html('<span class="nowrap">{}</span>', two_lines(counted, notes))

    @admin.display(description="cost")
    def cost(self, row: ChatRun) -> str:
        return dollars(row.cost_microdollars)

    @admin.display(description="first words, whole answer")
    def took_both(self, row: ChatRun) -> SafeString:
        first = "no words" if row.first_ms is None else f"{row.first_ms} ms"
        return format_html('<span class="nowrap">{}</span>', two_lines(first, f"{row.latency_ms} ms"))

    @admin.display(description="key")
    def key(self, row: ChatRun) -> SafeString | str:
        key = ApiKey.objects.defer("token").filter(pk=row.key_id).first() if row.key_id else None
        if key is None:
            return f"deleted: {row.key_id}" if row.key_id else "none was used"
        return format_html('<a href="{}">{}</a>', reverse("admin:tenants_apikey_change", args=[key.pk]), key)
