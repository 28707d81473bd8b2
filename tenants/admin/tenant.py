"""Tenants in the admin: registered, watched, suspended, deleted."""

from typing import Any, ClassVar, Final

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.text import capfirst

from audit.actions import Action
from audit.record import Actor, Subject, record
from console.audited_admin import AuditedAdmin, Vocabulary, form_changes
from tenants.admin.audit_history import AuditHistory
from tenants.admin.chat_limit_fields import CHAT_FIELDS, ChatLimitFields
from tenants.admin.domain_inline import DomainInline
from tenants.admin.identity_forms import IdentityFields
from tenants.admin.of_tenant import tenant_url
from tenants.admin.seen import OneSaveAtATime, SeenForm
from tenants.admin.tenant_identity import TenantIdentity
from tenants.admin.tenant_list import TenantList
from tenants.admin.tenant_origins import TenantOrigins
from tenants.admin.tenant_states import TenantStates
from tenants.audit_subjects import subject_of
from tenants.badges import badge, state_badge
from tenants.limit_names import LimitName
from tenants.models import AllowedDomain, ApiKey, Tenant, TenantState
from tenants.registration import complete_new_tenant
from tenants.signals import key_changed, origins_changed
from tenants.tenant_page import page_facts, panels, setup_steps
from tenants.upstreams import default_upstream, upstream_choices

AT_LEAST_ONE: Final = frozenset(
    {
        *("sessions_per_minute", "sessions_per_minute_per_visitor", "sessions_per_minute_per_address"),
        *("new_visitors_per_minute", "sessions_per_day", "sessions_per_month"),
    }
)
AT_LEAST_ONE_SAYS: Final = (
    "At least 1. Leave it empty for the site's default; to let nobody open a chat, suspend the tenant instead."
)


class TenantForm(ChatLimitFields, IdentityFields, SeenForm):
    class Meta:
        model = Tenant
        fields = ()  # the fieldsets of the admin name them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "log_only_limits" in self.fields:
            field = Tenant._meta.get_field("log_only_limits")
            self.fields["log_only_limits"] = forms.MultipleChoiceField(
                label=capfirst(str(field.verbose_name)),
                choices=LimitName.choices,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                help_text=field.help_text,
            )
        for name in AT_LEAST_ONE & self.fields.keys():
            self.fields[name].error_messages["min_value"] = AT_LEAST_ONE_SAYS
        if "upstream" in self.fields:
            self.fields["upstream"] = forms.ChoiceField(
                label=str(Tenant._meta.get_field("upstream").verbose_name),
                choices=upstream_choices(),
                initial=default_upstream(),
                help_text=Tenant._meta.get_field("upstream").help_text,
            )


@admin.register(Tenant)
class TenantAdmin(TenantOrigins, TenantStates, TenantIdentity, TenantList, AuditHistory, OneSaveAtATime, AuditedAdmin):
    audit_actions = {
        Tenant: Vocabulary(Action.TENANT_CREATED, Action.TENANT_CHANGED, Action.TENANT_DELETED),
        AllowedDomain: Vocabulary(Action.DOMAIN_ALLOWED, Action.DOMAIN_CHANGED, Action.DOMAIN_REMOVED),
    }
    audited_values: ClassVar[frozenset[str]] = frozenset(
        {
            *("name", "slug", "upstream", "sessions_per_minute", "sessions_per_minute_per_visitor"),
            *("sessions_per_minute_per_address", "new_visitors_per_minute", "sessions_per_day", "sessions_per_month"),
            *("log_only_limits", "retention_days", "identity_mode", "identity_algorithm", "identity_claims"),
            *("fallback_text", "fallback_url", "domain_verification_key"),
            *("entry", "expires_on", "allow_http", "allow_shared", "domain_key", "listed_at_openai"),
            *CHAT_FIELDS,
        }
    )
    form = TenantForm
    inlines = [DomainInline]
    prepopulated_fields = {"slug": ("name",)}
    change_form_template = "admin/tenants/tenant/change_form.html"
    fieldsets = [
        ("Tenant", {"fields": ["name", "slug", "upstream"]}),
        (
            "When the chat is unavailable",
            {
                "fields": ["fallback_text", "fallback_url"],
                "description": "What the tenant's visitors see in place of the chat.",
            },
        ),
        (
            "Limits",
            {
                "fields": [
                    *("sessions_per_minute", "sessions_per_minute_per_visitor", "sessions_per_minute_per_address"),
                    *("new_visitors_per_minute", "sessions_per_day", "sessions_per_month", "log_only_limits"),
                ],
                "description": "A chat that stays open takes about six sessions an hour.",
            },
        ),
        (
            "Chats that the platform serves",
            {
                "fields": [*CHAT_FIELDS],
                "description": "For assistants that this platform answers itself, with the tenant's key. Limits of sessions "
                "hold for them too. Tokens and money count from midnight, or the first of the month, UTC.",
            },
        ),
        (
            "Signed visitors",
            {
                "fields": ["identity_mode", "identity_algorithm", "identity_claims"],
                "description": "Keys, the debugger and ready code stand in the section of the same name below.",
            },
        ),
        ("Privacy", {"fields": ["retention_days"]}),
        ("From older guides", {"fields": ["domain_verification_key"], "classes": ["collapse"]}),
    ]

    def audit_subject(self, obj: Any) -> Subject:
        return subject_of(obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """For who may only look, lists are shown in words; Django would show them as JSON."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        in_words: dict[Any, str] = {"log_only_limits": "limits_on_trial", "identity_claims": "claims_for_the_workflow"}
        return [
            (title, {**options, "fields": [in_words.get(field, field) for field in options["fields"]]})
            for title, options in fieldsets
        ]

    @admin.display(description="Limits on trial", empty_value="none")
    def limits_on_trial(self, tenant: Tenant) -> str:
        return ", ".join(str(LimitName(name).label) for name in tenant.log_only_limits)

    @admin.display(description="Claims for the workflow", empty_value="none")
    def claims_for_the_workflow(self, tenant: Tenant) -> str:
        return ", ".join(tenant.identity_claims)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.state == TenantState.DELETING:
            return False
        return super().has_change_permission(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tenant = self.get_object(request, object_id)
        page = self._page(request, tenant) if isinstance(tenant, Tenant) and request.method == "GET" else {}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    def _page(self, request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
        facts = page_facts(tenant)
        steps = setup_steps(facts)
        return {
            "title": tenant.name,
            "subtitle": None,
            "tenant": tenant,
            "state_badge": state_badge(tenant),
            "facts": facts,
            "steps": steps,
            "steps_done": sum(step.is_done for step in steps),
            "panels": panels(request, facts),
            "may_add_key": self._may(request, "add_apikey") and tenant.state != TenantState.DELETING,
            "may_change_key": self._may(request, "change_apikey") and tenant.state != TenantState.DELETING,
            "may_add_assistant": self._may(request, "add_assistant") and tenant.state != TenantState.DELETING,
            "retired_badge": badge("retired", "idle"),
        }

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # Saving leads to the tenant's page in any case, which is where one goes on.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def _may(self, request: HttpRequest, codename: str) -> bool:
        return bool(request.user.has_perm(f"tenants.{codename}"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            complete_new_tenant(obj)
            obj.save(force_insert=True)
            self.record_form(request, obj, form, added=True)
            return
        if not form.changed_data:
            return
        # Only what was changed: a suspension that happens meanwhile stays.
        obj.save(update_fields=[*form.changed_data, "updated_at"])
        if "upstream" in form.changed_data:
            for key_id in ApiKey.objects.filter(tenant=obj, retired_at__isnull=True).values_list("pk", flat=True):
                key_changed.send(sender=Tenant, key_id=key_id)
        record(
            Action.TENANT_CHANGED,
            actor=Actor.of(request),
            subject=subject_of(obj),
            changes=form_changes(form, self.audited_values),
        )
        self.say_what_became_of_identity(request, obj, form)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # When all rows are written: one website may have taken another's place.
        if any(websites.deleted_objects or websites.changed_objects for websites in formsets):
            origins_changed.send(sender=Tenant, tenant_id=form.instance.pk)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, f"{obj} is registered. Next: its OpenAI key.")
        return HttpResponseRedirect(tenant_url(obj))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(tenant_url(obj))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:tenant_id>/suspend/", view(self.suspend_view), name="tenants_tenant_suspend"),
            path("<uuid:tenant_id>/resume/", view(self.resume_view), name="tenants_tenant_resume"),
            path("<uuid:tenant_id>/origin/", view(self.origin_view), name="tenants_tenant_origin"),
            path("<uuid:tenant_id>/allow-origin/", view(self.allow_origin_view), name="tenants_tenant_allow_origin"),
            *self.identity_urls(),
            *super().get_urls(),
        ]
