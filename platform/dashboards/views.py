"""The operations page: who is broken now, and why."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from dashboards.broken import who_is_broken
from dashboards.charts import stacked_bars
from dashboards.chat_usage import chat_usage, is_chat_served, near_their_budget
from dashboards.figures import session_figures
from dashboards.key_figures import key_states, last_check_at, tenants_by_state
from dashboards.quotas import limits_on_trial, near_their_quota
from dashboards.spans import DEFAULT_SPAN, SPANS
from dashboards.sunset import countdown, counts
from sessions_api.models import SessionRequest
from sessions_api.spool_status import spool_status
from tenants.models import Tenant

LABELS = {"1h": "%H:%M", "24h": "%H:%M", "7d": "%a %H:%M", "30d": "%d %b"}


@permission_required("sessions_api.view_sessionrequest", raise_exception=True)
def operations(request: HttpRequest) -> HttpResponse:
    """Query: `range` (one of the spans) and `tenant` (a slug); unknown values fall back to the default and to all."""
    span = SPANS.get(request.GET.get("range", ""), DEFAULT_SPAN)
    tenant = Tenant.objects.filter(slug=request.GET.get("tenant", "")).first()
    figures = session_figures(span=span, tenant_id=tenant.pk if tenant else None)
    checked = last_check_at()
    context = {
        **admin.site.each_context(request),
        "title": "Operations",
        "spans": SPANS.values(),
        "span": span,
        "tenants": Tenant.objects.only("slug", "name"),
        "tenant": tenant,
        "figures": figures,
        "chart": stacked_bars(figures.bars, label=LABELS[span.name]),
        "states": key_states(),
        "tenants_by_state": tenants_by_state(),
        "broken": who_is_broken(),
        "sunset": counts(),
        "countdown": countdown(),
        "near_quota": near_their_quota(tenant_id=tenant.pk if tenant else None),
        "on_trial": limits_on_trial(tenant_id=tenant.pk if tenant else None),
        "near_budget": near_their_budget(tenant_id=tenant.pk if tenant else None),
        "chats": chat_usage(span=span, tenant_id=tenant.pk if tenant else None) if is_chat_served() else None,
        "spool": spool_status(settings.SPOOL_DIR),
        "last_check_at": checked,
        "checks_are_late": checked is None or timezone.now() - checked > 3 * settings.CHECK_INTERVAL,
        "latest": SessionRequest.objects.filter(**({"tenant": tenant} if tenant else {})).select_related("tenant")[:25],
    }
    return TemplateResponse(request, "dashboards/operations.html", context)
