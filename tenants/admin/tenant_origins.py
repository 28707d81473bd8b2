"""Websites of a tenant beside its form: would an origin pass, and why; and a refused one allowed with one click."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from audit.record import Actor
from tenants.admin.of_tenant import tenant_url
from tenants.badges import badge
from tenants.domains import allow_domain, today
from tenants.models import Tenant, TenantState
from tenants.origin_entries import ALLOW_HTTP, EntryRefused, parse_entry
from tenants.origin_offers import Offer, offer_of
from tenants.origin_warnings import warnings_of
from tenants.origin_words import explain
from tenants.origins import OriginRules, Reason

if TYPE_CHECKING:
    # Mixed in beside it, and finds the tenant with it.
    from tenants.admin.tenant_states import TenantStates as _ModelAdmin
else:
    _ModelAdmin = object


class TenantOrigins(_ModelAdmin):
    def origin_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        """The tester: `?origin=` is the header as it would arrive, byte for byte; blank means that there is none."""
        tenant = self._tenant(request, tenant_id)
        if not self.has_view_permission(request, tenant):
            raise PermissionDenied
        context = self._frame(request, tenant, f"Would it pass at {tenant}?")
        if "origin" in request.GET:
            context |= _tested(tenant, request.GET["origin"])
        return TemplateResponse(request, "admin/tenants/tenant/origin.html", context)

    def allow_origin_view(self, request: HttpRequest, tenant_id: Any) -> HttpResponse:
        """Allows exactly one origin by POST; what takes an explicit choice is asked for on a page."""
        tenant = self._tenant(request, tenant_id)
        if not (self.has_change_permission(request, tenant) and request.user.has_perm("tenants.add_alloweddomain")):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else request.GET
        offer, is_chosen = offer_of(given.get("origin", "")), "allow_http" in request.POST
        if offer.problem:
            messages.error(request, offer.problem)
            return HttpResponseRedirect(tenant_url(tenant))
        if request.method != "POST" or (offer.needs_choice and not is_chosen):
            return self._ask_for_choice(request, tenant, offer)
        try:
            allow_domain(tenant=tenant, text=offer.origin, actor=Actor.of(request), allow_http=is_chosen)
        except EntryRefused as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"Pages at {offer.origin} may open the chat, everywhere within two seconds.")
        return HttpResponseRedirect(tenant_url(tenant))

    def _ask_for_choice(self, request: HttpRequest, tenant: Tenant, offer: Offer) -> HttpResponse:
        rule = parse_entry(offer.origin, allow_http=True)
        context = {
            **self._frame(request, tenant, f"Allow {offer.origin}"),
            "offer": offer,
            "warnings": warnings_of(rule, today=today()),
            "choice": ALLOW_HTTP,
            "is_missing": request.method == "POST",
        }
        return TemplateResponse(request, "admin/tenants/tenant/allow_origin.html", context)

    def _frame(self, request: HttpRequest, tenant: Tenant, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "tenant": tenant}


def _tested(tenant: Tenant, typed: str) -> dict[str, Any]:
    rules = [domain.rule for domain in tenant.domains.all()]
    header = typed or None
    verdict = OriginRules(rules).decide(header, now=timezone.now().timestamp())
    notes = []
    if tenant.state != TenantState.ACTIVE:
        notes.append("The tenant isn't active: every call is told tenant_unknown before its origin is looked at.")
    if header == settings.PREVIEW_ORIGIN and not verdict:
        notes.append(
            "This is the platform's own preview host: it passes with a ticket, which “Preview” on the tenant's page makes."
        )
    if typed != typed.strip(" \t"):
        notes.append(
            "On the wire, blanks and tabs around the value are no part of it: the web server cuts them off first."
        )
    return {
        "typed": typed,
        # What could hide in it is written out.
        "shown": "(no header)" if header is None else ascii(typed)[1:-1],
        "verdict": verdict,
        "verdict_badge": badge("passes", "ok") if verdict else badge("refused", "bad"),
        "told": verdict.reason.code if verdict.reason is not Reason.ALLOWED else "",
        "words": explain(header, verdict, rules),
        "notes": notes,
    }
