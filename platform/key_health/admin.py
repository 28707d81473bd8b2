"""The history of key checks in the console: to read, never to write."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from audit.read_only import ReadOnlyAdmin
from console.badges import badge
from key_health.models import KeyCheck
from tenants.verdict_words import words_for


@admin.register(KeyCheck)
class KeyCheckAdmin(ReadOnlyAdmin):
    list_display = ["at", "tenant", "key", "checked", "found", "reason", "upstream_status", "latency"]
    list_filter = ["finding", "kind", ("at", admin.DateFieldListFilter)]
    search_fields = ["key__label", "key__tenant__name", "key__tenant__slug", "upstream_request_id"]
    search_help_text = "Tenant, label of the key, or OpenAI's request id."
    list_select_related = ["key__tenant", "assistant"]
    fields: ClassVar[Any] = [
        "at",
        "tenant",
        "key",
        "checked",
        "kind",
        "found",
        "meaning",
        "cure",
        "reason",
        "upstream_status",
        "upstream_code",
        "upstream_request_id",
        "latency",
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[KeyCheck]:
        # The sealed key is no business of a page about its checks.
        return super().get_queryset(request).defer("key__token", "key__tenant__user_scope_token")

    @admin.display(ordering="key__tenant__name")
    def tenant(self, check: KeyCheck) -> Any:
        return check.key.tenant

    @admin.display(description="what was checked")
    def checked(self, check: KeyCheck) -> str:
        return f"with {check.assistant}" if check.assistant else "the key alone"

    @admin.display(description="finding", ordering="finding")
    def found(self, check: KeyCheck) -> SafeString:
        words = words_for(check.finding, check.reason)
        return badge(check.finding, words.title, title=words.sentence)

    @admin.display(description="what it means")
    def meaning(self, check: KeyCheck) -> str:
        return words_for(check.finding, check.reason).sentence

    @admin.display(description="what to do", empty_value="nothing")
    def cure(self, check: KeyCheck) -> str:
        return words_for(check.finding, check.reason).cure

    @admin.display(description="latency", ordering="latency_ms")
    def latency(self, check: KeyCheck) -> str:
        return f"{check.latency_ms} ms"
