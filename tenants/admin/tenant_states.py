"""Suspending, resuming and deleting a tenant: each on a page that says what will happen."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from audit.record import Actor
from console.reauthentication import ask_again, is_recent
from tenants.admin.of_tenant import tenant_url
from tenants.models import Tenant, TenantState
from tenants.states import StateRefused, resume_tenant, start_deletion, suspend_tenant

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Tenant]
else:
    _ModelAdmin = object


class TypeTheSlugForm(forms.Form):
    slug = forms.CharField(
        label="Slug of the tenant",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "vTextField"}),
    )

    def __init__(self, *args: Any, slug: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slug = slug

    def clean_slug(self) -> str:
        typed = str(self.cleaned_data["slug"])
        if typed != self._slug:
            raise forms.ValidationError(f"Type “{self._slug}”, exactly.")
        return typed


class TenantStates(_ModelAdmin):
    def suspend_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        done = (
            "{} is suspended: no new session anywhere within two seconds, and open ones are being cancelled at OpenAI."
        )
        return self._move(request, tenant_id, "suspend", suspend_tenant, done)

    def resume_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        return self._move(request, tenant_id, "resume", resume_tenant, "{} is active again.")

    def _move(
        self, request: HttpRequest, tenant_id: Any, name: str, deed: Callable[..., Tenant], done: str
    ) -> HttpResponse:
        tenant = self._tenant(request, tenant_id)
        if not self.has_change_permission(request, tenant):
            raise PermissionDenied
        if request.method != "POST":
            return self._state_page(request, name, tenant, f"{name.capitalize()} {tenant}")
        try:
            with transaction.atomic():
                deed(tenant=tenant, actor=Actor.of(request))
        except StateRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, done.format(tenant))
        return HttpResponseRedirect(tenant_url(tenant))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tenant = self._tenant(request, object_id)
        if not self.has_delete_permission(request, tenant):
            raise PermissionDenied
        if not is_recent(request):
            return ask_again(request)
        form = TypeTheSlugForm(request.POST or None, slug=tenant.slug)
        if request.method == "POST" and form.is_valid():
            with transaction.atomic():
                start_deletion(tenant=tenant, actor=Actor.of(request))
            messages.success(
                request, f"{tenant} is being deleted. It stays in the list until OpenAI has forgotten its visitors."
            )
            return HttpResponseRedirect(reverse("admin:tenants_tenant_changelist"))
        return self._state_page(request, "delete", tenant, f"Delete {tenant}", form=form)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.state == TenantState.DELETING:
            return False
        return super().has_delete_permission(request, obj)

    def _tenant(self, request: HttpRequest, tenant_id: Any) -> Tenant:
        tenant = self.get_object(request, str(tenant_id))
        if not isinstance(tenant, Tenant):
            raise Http404
        return tenant

    def _state_page(self, request: HttpRequest, name: str, tenant: Tenant, title: str, **context: Any) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "tenant": tenant}
        return TemplateResponse(request, f"admin/tenants/tenant/{name}.html", {**frame, **context})
