"""Erasures of visitors in the console: asked for, watched, and their certificates downloaded."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.filters import TenantFilter
from audit.read_only import ReadOnlyAdmin, moment, two_lines
from audit.record import Actor
from console.badges import badge
from console.cards import Tone
from console.reauthentication import ask_again, is_recent
from encryption.vault import SecretError
from sessions_api.certificate import certificate_key
from sessions_api.erase_visitor import (
    ErasureRefused,
    Person,
    by_key,
    erase_visitor,
    find_by_ref,
    find_by_subject,
    not_reached,
)
from sessions_api.hints import send_hint
from sessions_api.models import VisitorErasure
from sessions_api.revoke import Which, uncancelled
from sessions_api.tasks import erase_visitors
from tenants.models import ApiKey, Tenant

ERASE_PERMISSION = "sessions_api.add_visitorerasure"


class EraseForm(forms.Form):
    """Who is meant, by one of two names; `clean` finds them and puts them into `person`."""

    ref = forms.CharField(
        label="Reference in the ledger",
        max_length=32,
        required=False,
        help_text="32 characters; the pages of session requests and live sessions show it.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )
    subject = forms.CharField(
        label="Or the tenant's own name for the visitor",
        max_length=255,
        required=False,
        strip=False,
        help_text="What its server signs as “sub”, exactly. It is not kept.",
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, tenant: Tenant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant = tenant
        self.person: Person | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        ref, subject = cleaned.get("ref"), cleaned.get("subject")
        if bool(ref) == bool(subject):
            raise forms.ValidationError("Fill in one of the two.")
        try:
            self.person = find_by_ref(self._tenant, ref) if ref else find_by_subject(self._tenant, str(subject))
        except ErasureRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return cleaned


@admin.register(VisitorErasure)
class VisitorErasureAdmin(ReadOnlyAdmin):
    list_display = ["asked", "tenant_named", "state", "how_far", "requested_by"]
    list_filter = [TenantFilter]
    sortable_by: ClassVar[list[str]] = []
    fields: ClassVar[Any] = [
        *("asked", "tenant_named", "requested_by", "state", "how_far", "finished"),
        *("by_each_key", "certificate_file", "public_key"),
    ]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisitorErasure]:
        rows: QuerySet[VisitorErasure] = super().get_queryset(request)
        # No join: the rows of a tenant that is gone would be missing.
        return rows.prefetch_related("tenant")

    @admin.display(description="asked for (UTC)")
    def asked(self, erasure: VisitorErasure) -> SafeString:
        return moment(erasure.started_at)

    @admin.display(description="finished (UTC)")
    def finished(self, erasure: VisitorErasure) -> SafeString | str:
        return moment(erasure.finished_at) if erasure.finished_at else "not yet"

    @admin.display(description="tenant")
    def tenant_named(self, erasure: VisitorErasure) -> str:
        tenant = _tenant_of(erasure)
        return str(tenant) if tenant else f"deleted: {erasure.tenant_id}"

    @admin.display(description="state")
    def state(self, erasure: VisitorErasure) -> SafeString:
        if erasure.finished_at is None:
            return badge("erasing", "being erased", tone=Tone.WARN)
        if not_reached(erasure):
            return badge("incomplete", "erased, but for what a key could not reach", tone=Tone.BAD)
        return badge("erased", tone=Tone.OK)

    @admin.display(description="how far")
    def how_far(self, erasure: VisitorErasure) -> SafeString | str:
        threads = f"{erasure.threads_deleted} threads deleted{_here(erasure)}"
        if erasure.finished_at is not None:
            return threads
        waiting = _live(erasure)
        if waiting:
            return two_lines(f"waits for {waiting} live sessions", threads)
        keys = ApiKey.objects.filter(tenant=erasure.tenant_id).count()
        failing = f"; {erasure.failures} failures in a row" if erasure.failures else ""
        return two_lines(f"{len(erasure.keys_done)} of {keys} keys done{failing}", threads)

    @admin.display(description="by key")
    def by_each_key(self, erasure: VisitorErasure) -> SafeString | str:
        lines = [
            f"{entry['key']}: {entry['not_reached'] or str(entry['threads_deleted']) + ' threads'}"
            for entry in by_key(erasure)
        ]
        return "; ".join(lines) or "none done yet"

    @admin.display(description="certificate")
    def certificate_file(self, erasure: VisitorErasure) -> SafeString | str:
        if not erasure.certificate:
            return "when it is finished"
        url = reverse("admin:sessions_api_visitorerasure_certificate", args=[erasure.pk])
        return format_html('<a class="button" href="{}">Download</a>', url)

    @admin.display(description="public key of this site's certificates")
    def public_key(self, erasure: VisitorErasure) -> SafeString | str:
        try:
            return format_html("<code>{}</code>", certificate_key())
        except SecretError:
            return "The site's secret can't be opened: check MASTER_KEYS."

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("erase/<uuid:tenant_id>/", view(self.erase_view), name="sessions_api_visitorerasure_erase"),
            path("<uuid:pk>/certificate/", view(self.certificate_view), name="sessions_api_visitorerasure_certificate"),
            *super().get_urls(),
        ]

    def erase_view(self, request: HttpRequest, tenant_id: UUID) -> HttpResponse:
        if not request.user.has_perm(ERASE_PERMISSION):
            raise PermissionDenied
        tenant = Tenant.objects.filter(pk=tenant_id).first()
        if tenant is None:
            raise Http404
        if not is_recent(request):
            return ask_again(request)
        initial = {"ref": request.GET.get("ref", "")[:32]}
        form = EraseForm(request.POST if request.method == "POST" else None, tenant=tenant, initial=initial)
        if request.method == "POST" and form.is_valid() and form.person is not None:
            try:
                with transaction.atomic():
                    erasure = erase_visitor(tenant=tenant, person=form.person, actor=Actor.of(request))
                    transaction.on_commit(partial(send_hint, erase_visitors))
            except ErasureRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "No token of this visitor counts any more. The worker does the rest.")
                return HttpResponseRedirect(reverse("admin:sessions_api_visitorerasure_change", args=[erasure.pk]))
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "tenant": tenant}
        context = {**frame, "title": f"Erase a visitor of {tenant}", "form": form}
        return TemplateResponse(request, "sessions_api/erase.html", context)

    def certificate_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        erasure = VisitorErasure.objects.exclude(certificate="").filter(pk=pk).first()
        if erasure is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="erasure-{erasure.pk}.json"'}
        return HttpResponse(erasure.certificate, content_type="application/json", headers=headers)


def _tenant_of(erasure: VisitorErasure) -> Tenant | None:
    try:
        return erasure.tenant
    except Tenant.DoesNotExist:
        return None


def _here(erasure: VisitorErasure) -> str:
    """Of the chats that the platform itself served."""
    counts = ", ".join(f"{count} {name}" for name, count in sorted(erasure.served_here.items()))
    return f"; here: {counts}" if counts else ""


def _live(erasure: VisitorErasure) -> int:
    return Which(erasure.tenant_id, visitor_ref=erasure.ref).of(uncancelled()).count() if erasure.ref else 0
