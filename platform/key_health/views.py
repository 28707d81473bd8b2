"""“Check now”, a button on a key's page; config/urls.py puts the console's own guard before it."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from audit.record import Actor
from console.reauthentication import safe_next
from key_health.request import Requested, request_check
from tenants.models import ApiKey


@require_POST
@permission_required("tenants.change_apikey", raise_exception=True)
def check_key_now(request: HttpRequest, key_id: uuid.UUID) -> HttpResponse:
    """Queues the checks of a key and goes back to the page of its tenant, or to `next` where the form names a page of ours."""
    key = get_object_or_404(ApiKey.objects.select_related("tenant"), pk=key_id)
    requested = request_check(key=key, actor=Actor.of(request))
    level = messages.SUCCESS if requested is Requested.SENT else messages.WARNING
    messages.add_message(request, level, requested.sentence(key))
    following = request.POST.get("next", "")
    return HttpResponseRedirect(
        safe_next(request, following) if following else reverse("admin:tenants_tenant_change", args=[key.tenant_id])
    )
