"""Assistants in the admin: the workflow, the session's settings, the appearance, and the keys in their order."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString

from audit.actions import Action
from audit.record import Actor
from console.audited_admin import Vocabulary
from tenants.admin.assistant_forms import AssistantForm, PairForm, PairFormSet
from tenants.admin.assistant_versions import AssistantVersions, backend_badge
from tenants.admin.of_tenant import OfTenantAdmin, chosen_tenant
from tenants.admin.seen import SeenInline
from tenants.assistants import (
    delete_assistant,
    forget_pair_verdicts,
    give_oldest_key,
    make_room_for_default,
    record_default,
)
from tenants.badges import badge, verdict_badge, worst
from tenants.models import ApiKey, Assistant, AssistantKey
from tenants.signals import access_withdrawn, key_changed


class PairInline(SeenInline):
    model = AssistantKey
    form = PairForm
    formset = PairFormSet
    fields = ("key", "position", "seen", "state")
    readonly_fields = ("state",)
    template = "admin/tenants/assistant/keys.html"
    verbose_name = "key"
    verbose_name_plural = "OpenAI keys, the first that works is used"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).select_related("key")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj is not None and obj.ranked_keys.exists() else 1

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offers the keys of this tenant that are in use, and no others."""
        if db_field.name == "key":
            kwargs["queryset"] = _keys_to_offer(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "key" and field is not None:
            # No add, change and view beside the list: keys have pages of their own, with the password again.
            field.widget = getattr(field.widget, "widget", field.widget)
        return field

    @admin.display(description="state with this workflow")
    def state(self, pair: AssistantKey) -> SafeString | str:
        if pair.pk is None:
            return "checked after saving"
        if pair.key.is_retired:
            return badge("key retired", "idle")
        return verdict_badge(worst([pair.key.verdict, pair.verdict]) or pair.verdict)


@admin.register(Assistant)
class AssistantAdmin(AssistantVersions, OfTenantAdmin):
    audit_actions = {
        Assistant: Vocabulary(Action.ASSISTANT_CREATED, Action.ASSISTANT_CHANGED, Action.ASSISTANT_DELETED),
        AssistantKey: Vocabulary(Action.PAIR_ADDED, Action.PAIR_CHANGED, Action.PAIR_REMOVED),
    }
    form = AssistantForm
    inlines = [PairInline]
    list_display = ("name", "slug", "tenant", "is_default", "backend", "workflow_id", "workflow_version", "state")
    list_filter = ("backend", "is_default")
    search_fields = ("name", "slug", "workflow_id", "tenant__name", "tenant__slug")
    prepopulated_fields = {"slug": ("name",)}
    change_form_template = "admin/tenants/assistant/change_form.html"
    delete_confirmation_template = "admin/tenants/assistant/delete.html"
    fieldsets = [
        ("Assistant", {"fields": ["name", "slug", "is_default"]}),
        ("Who answers", {"fields": ["backend", "workflow_id", "workflow_version"]}),
        (
            "Appearance",
            {
                "fields": [
                    "greeting",
                    "prompt_lines",
                    "placeholder",
                    "color_scheme",
                    "accent",
                    "launcher_side",
                    "launcher_label",
                ]
            },
        ),
        (
            "Session settings at OpenAI",
            {
                "fields": [
                    "expires_after",
                    "max_requests_per_minute",
                    "history_enabled",
                    "recent_threads",
                    "file_upload_enabled",
                    "max_files",
                    "max_file_size_mb",
                    "accepted_file_types",
                    "automatic_titles",
                    "tracing",
                ]
            },
        ),
    ]
    audited_values: ClassVar[frozenset[str]] = frozenset(
        {
            *("name", "slug", "is_default", "backend", "workflow_id", "workflow_version", "expires_after"),
            *("max_requests_per_minute", "history_enabled", "recent_threads", "file_upload_enabled", "max_files"),
            *(
                "max_file_size_mb",
                "accepted_file_types",
                "automatic_titles",
                "tracing",
                "color_scheme",
                "accent",
                "launcher_side",
                "position",
            ),
        }
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        pairs = AssistantKey.objects.filter(key__retired_at__isnull=True).select_related("key")
        in_use = models.Prefetch("ranked_keys", queryset=pairs.defer("key__token"), to_attr="pairs_in_use")
        return super().get_queryset(request).prefetch_related(in_use)

    @admin.display(description="keys")
    def state(self, assistant: Any) -> SafeString:
        pairs = assistant.pairs_in_use
        found = worst([verdict for pair in pairs for verdict in (pair.verdict, pair.key.verdict)])
        return badge("no key", "bad") if found is None else verdict_badge(found)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request.tenant_of_form = obj.tenant if obj is not None else chosen_tenant(request)  # type: ignore[attr-defined]
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "accent" and field is not None:
            field.widget.attrs["placeholder"] = "#0a6b60"
        if db_field.name == "workflow_id" and field is not None:
            field.widget = forms.TextInput(attrs={"class": "vTextField", "placeholder": "wf_…", "spellcheck": "false"})
        return field

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # It is chosen once; later it is switched, by a deed that looks whether the other one could answer.
        return super().get_readonly_fields(request, obj) if obj is None else ("backend",)

    def get_urls(self) -> list[URLPattern]:
        return [*self.version_urls(), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        assistant = self.get_object(request, object_id)
        shown = {"backend_badge": backend_badge(assistant)} if isinstance(assistant, Assistant) else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            former = make_room_for_default(obj)
            obj.save()
            if change and {"workflow_id", "workflow_version"} & set(form.changed_data):
                forget_pair_verdicts(obj)
            self.record_form(request, obj, form, added=not change)
            record_default(former, is_default=False, actor=Actor.of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        rows = [row for row in formset.initial_forms if "key" in row.changed_data]
        changed = [pair.key_id for pair in [*formset.new_objects, *(row.instance for row in rows)]]
        # The key that an assistant gave up is not to be checked with it any more.
        for key_id in {*changed, *(row.initial["key"] for row in rows)}:
            key_changed.send(sender=AssistantKey, key_id=key_id)
        assistant = form.instance
        given_up = {row.initial["key"] for row in rows} | {pair.key_id for pair in formset.deleted_objects}
        for key_id in given_up - set(AssistantKey.objects.filter(assistant=assistant).values_list("key_id", flat=True)):
            access_withdrawn.send(
                sender=AssistantKey,
                tenant_id=assistant.tenant_id,
                key_id=key_id,
                assistant_id=assistant.pk,
                reason="pair_removed",
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if change or AssistantKey.objects.filter(assistant=form.instance).exists():
            return
        key = give_oldest_key(assistant=form.instance, actor=Actor.of(request))
        if key is not None:
            messages.info(request, f"It uses the key {key}, since none was chosen.")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        request.tenant_of_deleted = obj.tenant_id  # type: ignore[attr-defined]
        delete_assistant(assistant=obj, actor=Actor.of(request))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        assistant = self.get_object(request, object_id)
        context = {
            "tenant": getattr(assistant, "tenant", None),
            "title": f"Delete {assistant}",
            **(extra_context or {}),
        }
        return super().delete_view(request, object_id, context)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, f"“{obj_display}” is deleted, and its live sessions are being cancelled at OpenAI.")
        tenant_id = getattr(request, "tenant_of_deleted", None)
        if tenant_id is None:
            return HttpResponseRedirect(reverse("admin:tenants_tenant_changelist"))
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant_id]))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The page has its own words: Django would list every check, of which there may be thousands."""
        return [str(assistant) for assistant in objs], {"assistants": len(objs)}, set(), []


def _keys_to_offer(request: HttpRequest) -> models.QuerySet[ApiKey]:
    tenant = getattr(request, "tenant_of_form", None)
    return ApiKey.objects.filter(tenant=tenant, retired_at__isnull=True).defer("token").order_by("label")
