"""The panel of a tenant's page on its limits: what is used of its quotas, and what limits on trial would have refused."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from sessions_api.models import QuotaNotice
from sessions_api.usage import trials, usage_of
from tenants.limit_names import CHAT_LIMITS, LimitName
from tenants.snapshot import limits_of_tenant
from tenants.tenant_page import PageFacts


def limits_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    now = timezone.now()
    limits = limits_of_tenant(facts.tenant)
    found = {trial.limit: trial for trial in trials(tenant_id=facts.tenant.pk, at=now)}
    on_trial = [
        (name.label, name in limits.log_only, found.get(name))
        for name in LimitName
        if name not in CHAT_LIMITS and (name in limits.log_only or name in found)
    ]
    context = {
        "tenant": facts.tenant,
        "limits": limits,
        "usages": usage_of([facts.tenant], at=now),
        "on_trial": on_trial,
        "notices": QuotaNotice.objects.filter(tenant=facts.tenant)[:5],
        "may_see_requests": request.user.has_perm("sessions_api.view_sessionrequest"),
    }
    return render_to_string("sessions_api/limits_panel.html", context, request)
