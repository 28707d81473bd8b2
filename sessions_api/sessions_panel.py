"""On a tenant's page: how many sessions are live, and how far the cancelling of withdrawn ones has come."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from sessions_api.models import VisitorErasure
from sessions_api.revoke import uncancelled
from sessions_api.waves import waves_of
from tenants.models import TenantState
from tenants.tenant_page import PageFacts


def sessions_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    tenant = facts.tenant
    is_staying = tenant.state != TenantState.DELETING
    context = {
        "tenant": tenant,
        "live": uncancelled().filter(tenant=tenant, cancel_requested_at=None).count(),
        "waves": waves_of(tenant.pk),
        "erasures": VisitorErasure.objects.filter(tenant=tenant, finished_at=None).count(),
        "may_see": request.user.has_perm("sessions_api.view_livesession"),
        "may_see_erasures": request.user.has_perm("sessions_api.view_visitorerasure"),
        "may_revoke": is_staying and request.user.has_perm("tenants.change_tenant"),
        "may_erase": is_staying and request.user.has_perm("sessions_api.add_visitorerasure"),
    }
    return SafeString(render_to_string("sessions_api/sessions_panel.html", context, request=request))
