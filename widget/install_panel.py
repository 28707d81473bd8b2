"""The panel “Put it on the website” on a tenant's page: everything that its web developer needs, ready to copy."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from sessions_api.models import SessionRequest
from tenants.models import TenantState
from tenants.tenant_page import PageFacts, Step
from tenants.upstreams import upstream
from widget import snippets
from widget.embed import embed_scripts

DOMAIN_ALLOW_LIST: Final = "https://platform.openai.com/settings/organization/security/domain-allowlist"


@dataclass(frozen=True, slots=True)
class AssistantSnippet:
    name: str
    slug: str
    text: str


def place_of(upstream_name: str) -> snippets.Place | None:
    """None for an upstream that the operator allows no longer."""
    try:
        choice = upstream(upstream_name)
    except KeyError:
        return None
    return snippets.Place(settings.PLATFORM_URL, choice.chatkit_js, choice.base_url)


def install_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    tenant = facts.tenant
    place = place_of(tenant.upstream)
    script = embed_scripts().current
    context = {"tenant": tenant, "facts": facts, "place": place, "script": script, "allow_list": DOMAIN_ALLOW_LIST}
    if place is not None:
        context |= {
            "moving": snippets.moving_snippet(place, tenant.public_id),
            "pinned": snippets.pinned_snippet(place, tenant.public_id, version=script.version, sri=script.sri),
            "others": [
                AssistantSnippet(
                    each.name, each.slug, snippets.moving_snippet(place, tenant.public_id, assistant=each.slug)
                )
                for each in facts.assistants
                if not each.is_default
            ],
            "csp": snippets.csp_text(place),
            "react": snippets.react_settings(place, tenant.public_id),
            "curl": snippets.curl_command(place, tenant.public_id, _sample_origin(facts)),
            "meta": snippets.verification_tag(tenant.domain_verification_key) if tenant.domain_verification_key else "",
            "can_preview": bool(facts.assistants) and tenant.state == TenantState.ACTIVE,
            "preview_origin": settings.PREVIEW_ORIGIN,
        }
    return render_to_string("widget/install_panel.html", context, request)


def first_session_step(facts: PageFacts) -> Step:
    """Done when a page has opened a session; previews don't count, for they show nothing about the website."""
    seen = (
        SessionRequest.objects.filter(tenant_id=facts.tenant.pk, outcome="granted")
        .exclude(origin=settings.PREVIEW_ORIGIN)
        .exists()
    )
    return Step("Snippet", "Pasted on the website: done with its first session.", seen, "#install")


def _sample_origin(facts: PageFacts) -> str:
    exact = [entry for entry in facts.domains if "*" not in entry]
    return exact[0] if exact else "https://shop.example.com"
