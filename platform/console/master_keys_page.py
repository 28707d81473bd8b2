"""The page of the master keys: which rows stand under which key, and a button that re-wraps them; readable without script."""

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from audit.record import Actor
from console.master_keys import request_rewrap
from console.reauthentication import ask_again, is_recent
from encryption.models import RewrapRun
from encryption.standing import standing

REFRESH_SECONDS = 5


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("encryption.add_rewraprun", raise_exception=True)
def master_keys(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _begin(request)
    now = standing()
    run = RewrapRun.objects.first()
    context = {
        **admin.site.each_context(request),
        "title": "Master keys",
        "standing": now,
        "keys": [
            {
                "id": key_id,
                "is_primary": key_id == now.primary_id,
                "is_missing": key_id not in now.ring,
                "is_removable": key_id in now.removable,
                "rows": now.count(key_id),
                "first_seen": now.first_seen.get(key_id),
                "columns": [rows for rows in now.rows if rows.key_id == key_id],
            }
            for key_id in (*now.ring, *now.missing)
        ],
        "run": run,
        "run_percent": min(99, 100 * run.rewrapped // max(run.total, 1)) if run and run.is_open else None,
        "refresh_seconds": REFRESH_SECONDS,
    }
    return TemplateResponse(request, "console/master_keys.html", context)


def _begin(request: HttpRequest) -> HttpResponse:
    if not is_recent(request):
        return ask_again(request)
    if request_rewrap(actor=Actor.of(request)):
        messages.success(request, "The worker begins within seconds. This page shows how far it is.")
    else:
        messages.warning(request, "A re-wrapping is under way already.")
    return HttpResponseRedirect(reverse("master-keys"))
