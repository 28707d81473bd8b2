"""What the admins of keys and assistants share: a row is added from its tenant's page and never leaves that tenant."""

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from audit.record import Subject
from console.audited_admin import AuditedAdmin
from tenants.admin.audit_history import AuditHistory
from tenants.admin.seen import OneSaveAtATime
from tenants.audit_subjects import subject_of
from tenants.models import Tenant, TenantState

if TYPE_CHECKING:
    _Form = forms.ModelForm[Any]
else:
    _Form = object


class OfTenantAdmin(AuditHistory, OneSaveAtATime, AuditedAdmin):
    """`add` needs `?tenant=<id>`, which the buttons on a tenant's page carry."""

    list_select_related = ("tenant",)
    # Bulk deletion would go round the deeds that withdraw sessions.
    actions = None

    def audit_subject(self, obj: Any) -> Subject:
        return subject_of(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.tenant.state == TenantState.DELETING:
            return False
        return super().has_change_permission(request, obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tenant = chosen_tenant(request)
        if tenant is None or tenant.state == TenantState.DELETING:
            messages.info(
                request,
                f"Open the tenant that it shall belong to: its page has the button “Add {self.opts.verbose_name}”.",
            )
            return HttpResponseRedirect(reverse("admin:tenants_tenant_changelist"))
        context = {"tenant": tenant, "title": f"Add {self.opts.verbose_name} for {tenant}", **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = str(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title[0].upper() + title[1:], **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        context = {"tenant": getattr(obj, "tenant", None), "title": str(obj), "subtitle": None, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # Saving leads to the tenant's page, which is where one goes on.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form class knows the tenant of a new row, so that it can be checked as one of that tenant."""
        form = super().get_form(request, obj, change, **kwargs)
        return form if change else type(form.__name__, (form,), {"new_row_tenant": chosen_tenant(request)})

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(tenant_url(obj.tenant))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(tenant_url(obj.tenant))


class OfTenantForm(_Form):
    """Mixin for the model forms of those admins: gives a new row its tenant before anything is validated."""

    new_row_tenant: Tenant | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and self.new_row_tenant is not None:
            self.instance.tenant = self.new_row_tenant

    def _get_validation_exclusions(self) -> set[str]:
        # Django leaves out constraints over fields that the form does not show; ours name the tenant, which is known.
        exclude: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]  # the stubs lack it
        return exclude - {"tenant"}


def chosen_tenant(request: HttpRequest) -> Tenant | None:
    try:
        return Tenant.objects.filter(pk=uuid.UUID(request.GET.get("tenant", ""))).first()
    except ValueError:
        return None


def tenant_url(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])
