"""OpenAI keys in the admin: written, replaced, retired; never shown."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters

from audit.actions import Action
from audit.record import Actor
from console.audited_admin import Vocabulary
from console.reauthentication import PasswordAgainMixin, ask_again, is_recent
from tenants.admin.key_forms import KeyChangeForm, NewKeyForm, ReplaceKeyForm
from tenants.admin.of_tenant import OfTenantAdmin, chosen_tenant
from tenants.assistants import give_to_keyless_assistants
from tenants.badges import badge, tone_of, verdict_badge
from tenants.key_page import key_page
from tenants.keys import KeyIsRetired, add_key, replace_key, retire_key, same_elsewhere
from tenants.models import ApiKey
from tenants.signals import key_changed


@admin.register(ApiKey)
class ApiKeyAdmin(PasswordAgainMixin, OfTenantAdmin):
    audit_actions = {ApiKey: Vocabulary(Action.KEY_ADDED, Action.KEY_CHANGED, Action.KEY_DELETED)}
    audited_values: ClassVar[frozenset[str]] = frozenset({"label", "organization", "project"})
    list_display = ("label", "masked", "tenant", "state", "verdict_since", "checked_at")
    list_filter = ("verdict", ("retired_at", admin.EmptyFieldListFilter))
    search_fields = ("label", "last_four", "fingerprint", "tenant__name", "tenant__slug")
    add_form_template = "admin/tenants/apikey/add_form.html"
    change_form_template = "admin/tenants/apikey/change_form.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).defer("token")

    @admin.display(description="state", ordering="verdict")
    def state(self, key: ApiKey) -> SafeString:
        return badge("retired", "idle") if key.is_retired else verdict_badge(key.verdict)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["label", "api_key", "organization", "project"] if obj is None else ["label", "organization", "project"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = KeyChangeForm if change else NewKeyForm
        return super().get_form(request, obj, change, **kwargs)

    def needs_password_again(self, request: HttpRequest, view: str, object_id: str | None = None) -> bool:
        # At 3 a.m. somebody wants to read what is wrong with a key: only changing it asks for the password.
        if view == "change" and request.method == "GET":
            return False
        return super().needs_password_again(request, view, object_id)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_retired)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Retiring is the way out: it withdraws the key's sessions, and what was done with the key stays explainable.
        return False

    @method_decorator(sensitive_post_parameters("api_key"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return super().changeform_view(request, *args, **kwargs)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        key = self.get_object(request, object_id)
        page = {"page": key_page(key), "tone": tone_of(key.verdict)} if isinstance(key, ApiKey) else {}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            self._save_changes(request, obj, form)
            return
        tenant = chosen_tenant(request)
        if tenant is None:
            raise PermissionDenied
        given = form.cleaned_data
        key = add_key(
            tenant=tenant,
            label=given["label"],
            plaintext=form.secret,
            actor=Actor.of(request),
            organization=given["organization"],
            project=given["project"],
        )
        obj.__dict__.update(key.__dict__)
        for assistant in give_to_keyless_assistants(key=key, actor=Actor.of(request)):
            messages.info(request, f"“{assistant}” had no key and uses this one from now on.")
        self._warn_of_duplicates(request, key)

    def _save_changes(self, request: HttpRequest, key: ApiKey, form: Any) -> None:
        # Only what was changed: a verdict that a worker wrote meanwhile stays.
        if not form.changed_data:
            return
        key.save(update_fields=form.changed_data)
        if {"organization", "project"} & set(form.changed_data):
            key_changed.send(sender=ApiKey, key_id=key.id)
        self.record_form(request, key, form, added=False)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:key_id>/replace/", view(self.replace_view), name="tenants_apikey_replace"),
            path("<uuid:key_id>/retire/", view(self.retire_view), name="tenants_apikey_retire"),
            *super().get_urls(),
        ]

    @method_decorator(sensitive_post_parameters("api_key"))
    def replace_view(self, request: HttpRequest, key_id: Any) -> HttpResponse:
        key = self._key_to_change(request, key_id)
        if not is_recent(request):
            return ask_again(request)
        form = ReplaceKeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    key = replace_key(key=key, plaintext=form.secret, actor=Actor.of(request))
            except KeyIsRetired as refusal:
                return self._refused(request, key, refusal)
            messages.success(request, f"Replaced: {key}. It is being checked; sessions that are open go on.")
            self._warn_of_duplicates(request, key)
            return self._to_key(key)
        return self._page(request, "replace", key, f"Replace {key}", form=form)

    def retire_view(self, request: HttpRequest, key_id: Any) -> HttpResponse:
        key = self._key_to_change(request, key_id)
        if not is_recent(request):
            return ask_again(request)
        if request.method == "POST":
            try:
                with transaction.atomic():
                    retire_key(key=key, actor=Actor.of(request))
            except KeyIsRetired as refusal:
                return self._refused(request, key, refusal)
            messages.success(request, f"Retired: {key}. Its live sessions are being cancelled at OpenAI.")
            return self._to_key(key)
        return self._page(request, "retire", key, f"Retire {key}", page=key_page(key))

    def _key_to_change(self, request: HttpRequest, key_id: Any) -> ApiKey:
        key = self.get_object(request, str(key_id))
        if not isinstance(key, ApiKey):
            raise Http404
        if not self.has_change_permission(request, key):
            raise PermissionDenied(KeyIsRetired() if key.is_retired else "")
        return key

    def _refused(self, request: HttpRequest, key: ApiKey, refusal: KeyIsRetired) -> HttpResponse:
        """Somebody else retired the key while this page was open."""
        messages.error(request, str(refusal))
        return self._to_key(key)

    def _to_key(self, key: ApiKey) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_apikey_change", args=[key.pk]))

    def _page(self, request: HttpRequest, name: str, key: ApiKey, title: str, **context: Any) -> HttpResponse:
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "key": key,
            "tenant": key.tenant,
        }
        return TemplateResponse(request, f"admin/tenants/apikey/{name}.html", {**frame, **context})

    def _warn_of_duplicates(self, request: HttpRequest, key: ApiKey) -> None:
        for other in same_elsewhere(key):
            messages.warning(
                request,
                f"The very same key is stored as “{other.label}” of {other.tenant}. If these are two customers, each wants a key "
                "of its own: a shared one shares its limits, its bill and its threads.",
            )
