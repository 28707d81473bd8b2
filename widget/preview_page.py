"""The preview: a page on PREVIEW_ORIGIN that carries the tenant's snippet and a ticket in place of an allowed origin.

It loads OpenAI's script, which is mutable and not ours, so it shares no host, no cookie and no storage with the console.
"""

import base64
import hashlib
import time
from html import escape
from typing import Final

from django.conf import settings
from django.http import HttpResponse

from gateway.errors import Code, PublicError
from gateway.lean import LeanRequest
from gateway.preview_tickets import LIFETIME, PreviewTicket, read_preview_ticket
from gateway.resources import gateway_of
from tenants.snapshot import TenantSnapshot
from widget import snippets

_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem}"
    "p{color:color-mix(in srgb,currentcolor 70%,transparent)}code{font-size:.9em}"
)
_STYLE_HASH: Final = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


async def preview_page(request: LeanRequest, public_id: str) -> HttpResponse:
    """GET /preview/<public id>/?ticket=… ; anything that is no fresh ticket gets a page that says what to do."""
    if request.method not in {"GET", "HEAD"}:
        raise PublicError(Code.METHOD_NOT_ALLOWED, reason="method_not_allowed", allow="GET, HEAD")
    text = request.GET.get("ticket", "")
    ticket = read_preview_ticket(text, tenant_public_id=public_id, now=int(time.time()))
    if ticket is None:
        return _page(
            "This preview has ended",
            f"A preview opens for {LIFETIME // 60} minutes. Press “Preview” again on the tenant's page in the console.",
            status=403,
        )
    tenant = await gateway_of(request).snapshots.get(public_id)
    if tenant is None or tenant.upstream is None or not tenant.is_active:
        return _page(
            "There is nothing to preview",
            "The tenant is suspended or gone, or its OpenAI address is no longer allowed. Its page in the console says which.",
            status=404,
        )
    return _chat_page(tenant, ticket, text)


def _chat_page(tenant: TenantSnapshot, ticket: PreviewTicket, text: str) -> HttpResponse:
    assert tenant.upstream is not None  # noqa: S101 (the caller has looked)
    place = snippets.Place(settings.PLATFORM_URL, tenant.upstream.chatkit_js, tenant.upstream.base_url)
    tag = (
        f'<script async src="{escape(place.platform_url)}/widget/v1/embed.js" data-tenant="{escape(tenant.public_id)}" '
        f'data-assistant="{escape(ticket.assistant_slug)}" data-preview-ticket="{escape(text)}"></script>'
    )
    return _page(
        f"Preview for {tenant.name}",
        f"This is how “{ticket.assistant_slug}” looks on a website. Sessions opened here are real and count in the figures. "
        f"The ticket ends after {LIFETIME // 60} minutes; a chat that is open then can't be renewed.",
        tag=tag,
        sources=snippets.csp_lines(place),
    )


def _page(
    title: str, text: str, *, tag: str = "", sources: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    html = (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n<p>{escape(text)}</p>\n{tag}</body>\n</html>\n"
    )
    response = HttpResponse(html, status=status)
    response["Content-Security-Policy"] = _policy(sources or {})
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _policy(sources: dict[str, str]) -> str:
    """Nothing but what the snippet needs on any website: a preview that works proves that those lines are enough."""
    directives = {
        "default-src": "'none'",
        "style-src": _STYLE_HASH,
        **sources,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
