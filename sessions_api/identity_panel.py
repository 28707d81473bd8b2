"""The section “Signed visitors” on a tenant's page: its keys, what the mode does or would do, the ways to debugger and code."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from sessions_api.identity_share import identity_share
from tenants.badges import badge
from tenants.identity_keys import ENFORCING
from tenants.models import IdentityKey, IdentityMode, Tenant, TenantState
from tenants.tenant_page import PageFacts

_MOST_RETIRED = 5


@dataclass(frozen=True, slots=True)
class KeyRow:
    key: IdentityKey
    state: SafeString


def identity_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    tenant = facts.tenant
    keys = list(IdentityKey.objects.filter(tenant=tenant).defer("token", "public_key").order_by("-created_at"))
    counting = [key for key in keys if not key.is_retired and key.algorithm == tenant.identity_algorithm]
    retired = [key for key in keys if key.is_retired][:_MOST_RETIRED]
    active = [key for key in keys if not key.is_retired]
    mode = IdentityMode(tenant.identity_mode)
    may_write = tenant.state != TenantState.DELETING
    context = {
        "tenant": tenant,
        "mode": mode,
        "mode_says": str(mode.label).partition(": ")[2],
        "mode_badge": badge(mode.value.replace("_", " "), "idle" if mode == IdentityMode.OFF else "ok"),
        "rows": [KeyRow(key, _state(key, tenant)) for key in (*active, *retired)],
        "is_keyless": mode in ENFORCING and not counting,
        "share": identity_share(tenant) if mode == IdentityMode.REPORT_ONLY else None,
        "may_add": may_write and request.user.has_perm("tenants.add_identitykey"),
        "may_retire": may_write and request.user.has_perm("tenants.change_identitykey"),
    }
    return SafeString(render_to_string("sessions_api/identity_panel.html", context, request))


def _state(key: IdentityKey, tenant: Tenant) -> SafeString:
    if key.is_retired:
        return badge("retired", "idle")
    if key.algorithm != tenant.identity_algorithm:
        return badge(f"waits: signature is {tenant.identity_algorithm}", "warn")
    return badge("active", "ok")
