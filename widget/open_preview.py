"""The button “Preview” of the console: mints a ticket, records it, and sends the browser to the preview's host."""

import time
import uuid
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from audit.actions import Action
from audit.record import Actor, record
from gateway.preview_tickets import mint_preview_ticket
from tenants.audit_subjects import subject_of
from tenants.models import AgentVersion, Assistant, Tenant, TenantState


@require_POST
@permission_required("tenants.view_tenant", raise_exception=True)
def open_preview(request: HttpRequest, tenant_id: uuid.UUID) -> HttpResponse:
    """`assistant` (a slug) chooses; without it the default one. `version` (an id) tries that version of it.

    Answers with a page that moves on by itself, not with a redirect: the console's policy lets no form lead off its host.
    """
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    assistants = Assistant.objects.filter(tenant=tenant)
    slug = request.POST.get("assistant", "")
    assistant = (assistants.filter(slug=slug) if slug else assistants.filter(is_default=True)).first()
    if assistant is None or tenant.state != TenantState.ACTIVE:
        messages.error(request, "There is nothing to preview: the tenant needs to be active and to have an assistant.")
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant.pk]))
    version = _version(assistant, request.POST.get("version", ""))
    tried = {} if version is None else {"version": str(version)}
    with transaction.atomic():
        record(
            Action.PREVIEW_OPENED,
            actor=Actor.of(request),
            subject=subject_of(tenant),
            changes={"assistant": assistant.slug, **tried},
        )
    ticket = mint_preview_ticket(
        tenant_public_id=tenant.public_id,
        assistant_slug=assistant.slug,
        now=int(time.time()),
        version_id=None if version is None else version.pk,
    )
    address = f"{settings.PREVIEW_ORIGIN}/preview/{tenant.public_id}/?ticket={quote(ticket, safe='')}"
    response = TemplateResponse(request, "widget/to_preview.html", {"address": address, "title": "Opening the preview"})
    # The address is a key for five minutes: it must not travel on as a referrer.
    response["Referrer-Policy"] = "no-referrer"
    return response


def _version(assistant: Assistant, text: str) -> AgentVersion | None:
    """Raises Http404 for what is no version of this assistant."""
    if not text:
        return None
    try:
        version_id = uuid.UUID(text)
    except ValueError:
        raise Http404 from None
    return get_object_or_404(AgentVersion, pk=version_id, assistant=assistant)
