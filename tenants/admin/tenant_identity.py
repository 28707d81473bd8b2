"""What a tenant signs its visitors with, in the admin: a secret is made and shown once, a public key pasted, either retired."""

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from audit.record import Actor
from console.reauthentication import ask_again, is_recent
from tenants.admin.identity_forms import LabelForm, PublicKeyForm
from tenants.admin.of_tenant import tenant_url
from tenants.identity_keys import (
    ENFORCING,
    IdentityKeyRefused,
    active_keys,
    add_public_key,
    add_secret,
    retire_identity_key,
)
from tenants.models import IdentityKey, Tenant, TenantState

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Tenant]
else:
    _ModelAdmin = object


# Fields of the tenant's own page; the rest of that page wants no password.
GUARDED: Final = ("identity_mode", "identity_algorithm")


class TenantIdentity(_ModelAdmin):
    """Each deed on a page of its own, behind the password again, as is a change of the mode."""

    def identity_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, "tenants_tenant_identity"
        return [
            path("<uuid:tenant_id>/identity/secret/", view(self.add_secret_view), name=f"{name}_secret"),
            path("<uuid:tenant_id>/identity/public-key/", view(self.add_public_key_view), name=f"{name}_public_key"),
            path("<uuid:tenant_id>/identity/<uuid:key_id>/retire/", view(self.retire_view), name=f"{name}_retire"),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Whether tokens are demanded at all counts as much as the keys that they are checked with."""
        if request.method == "POST" and object_id and not is_recent(request):
            tenant = self.get_object(request, object_id)
            if any(request.POST.get(name) not in (None, getattr(tenant, name, None)) for name in GUARDED):
                return ask_again(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    @method_decorator(sensitive_variables("secret"))
    def add_secret_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        tenant = self._tenant_to_sign(request, tenant_id, "add_identitykey")
        if not is_recent(request):
            return ask_again(request)
        form = LabelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    key, secret = add_secret(tenant=tenant, label=form.cleaned_data["label"], actor=Actor.of(request))
            except (IdentityKeyRefused, ValidationError) as refusal:
                _tell(form, refusal)
            else:
                return self._identity_page(
                    request, "secret_shown_once", tenant, "Copy the secret now", key=key, secret=secret
                )
        return self._identity_page(request, "add_secret", tenant, "Make a signing secret", form=form)

    @method_decorator(sensitive_post_parameters("public_key"))
    def add_public_key_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        tenant = self._tenant_to_sign(request, tenant_id, "add_identitykey")
        if not is_recent(request):
            return ask_again(request)
        form = PublicKeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    key = add_public_key(
                        tenant=tenant,
                        label=form.cleaned_data["label"],
                        public_key=form.key,
                        actor=Actor.of(request),
                    )
            except (IdentityKeyRefused, ValidationError) as refusal:
                _tell(form, refusal)
            else:
                messages.success(request, f"Added: {key}. Try a token of yours in the debugger.")
                return HttpResponseRedirect(f"{tenant_url(tenant)}#identity")
        return self._identity_page(request, "add_public_key", tenant, "Add a public key", form=form)

    def retire_view(self, request: HttpRequest, tenant_id: Any, key_id: Any) -> HttpResponse:
        tenant = self._tenant_to_sign(request, tenant_id, "change_identitykey")
        key = IdentityKey.objects.filter(pk=key_id, tenant=tenant).defer("token").first()
        if key is None:
            raise Http404
        if not is_recent(request):
            return ask_again(request)
        if request.method == "POST":
            try:
                with transaction.atomic():
                    retire_identity_key(
                        key=key, actor=Actor.of(request), ends_chats=request.POST.get("ends_chats") == "on"
                    )
            except IdentityKeyRefused as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, f"Retired: {key}. Tokens that it signed count nowhere within two seconds.")
            return HttpResponseRedirect(f"{tenant_url(tenant)}#identity")
        others = [other for other in active_keys(tenant, key.algorithm) if other.pk != key.pk]
        is_last = key.algorithm == tenant.identity_algorithm and not others and tenant.identity_mode in ENFORCING
        return self._identity_page(request, "retire", tenant, f"Retire {key}", key=key, others=others, is_last=is_last)

    def say_what_became_of_identity(self, request: HttpRequest, tenant: Tenant, form: Any) -> None:
        """A change of the algorithm, in words: it takes back more than it seems to."""
        if "identity_algorithm" in form.changed_data:
            messages.warning(
                request,
                f"From now on only tokens signed by {tenant.identity_algorithm} count. Those of other keys are refused, and "
                f"visitors whom those keys vouched for need a new token; their history stays theirs.",
            )

    def _tenant_to_sign(self, request: HttpRequest, tenant_id: Any, codename: str) -> Tenant:
        tenant = self.get_object(request, str(tenant_id))
        if not isinstance(tenant, Tenant):
            raise Http404
        if not request.user.has_perm(f"tenants.{codename}") or tenant.state == TenantState.DELETING:
            raise PermissionDenied
        return tenant

    def _identity_page(
        self, request: HttpRequest, name: str, tenant: Tenant, title: str, **context: Any
    ) -> HttpResponse:
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "tenant": tenant}
        return TemplateResponse(request, f"admin/tenants/identity/{name}.html", {**frame, **context})


def _tell(form: forms.Form, refusal: Exception) -> None:
    form.add_error("label", refusal.messages if isinstance(refusal, ValidationError) else str(refusal))
