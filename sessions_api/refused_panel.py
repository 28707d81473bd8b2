"""The panel “Refused websites” on a tenant's page."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from sessions_api.refused_origins import DAYS, refused_origins
from tenants.models import TenantState
from tenants.origin_offers import offer_of
from tenants.origins import OriginRules
from tenants.tenant_page import PageFacts


def refused_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    """Nothing where nothing was refused, or where the reader may not look into the ledger."""
    tenant = facts.tenant
    if not request.user.has_perm("sessions_api.view_sessionrequest"):
        return SafeString()
    allowed = OriginRules(domain.rule for domain in tenant.domains.all())
    found = refused_origins(tenant_id=tenant.pk, allowed=allowed, now=timezone.now())
    if not found.origins:
        return SafeString()
    may_allow = tenant.state != TenantState.DELETING and request.user.has_perms(
        ["tenants.change_tenant", "tenants.add_alloweddomain"]
    )
    context = {
        "tenant": tenant,
        "rows": [(each, offer_of(each.origin)) for each in found.origins],
        "unnamed": found.unnamed,
        "since": found.since,
        "days": DAYS,
        "may_allow": may_allow,
    }
    return render_to_string("sessions_api/refused_panel.html", context, request)
