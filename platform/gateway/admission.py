"""The decisions that every endpoint of a tenant shares, in their order: public id, tenant, address, origin, assistant.

They cost no more than a look into memory, and they come before anything that costs money.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from gateway.client_address import network_of
from gateway.errors import Code, PublicError
from gateway.gcra import Limit
from gateway.lean import LeanRequest
from gateway.preview_tickets import read_preview_ticket
from gateway.resources import Gateway
from tenants.models.assistant import Backend
from tenants.snapshot import AssistantSnapshot, TenantSnapshot

TICKET_HEADER: Final = "x-preview-ticket"


@dataclass(frozen=True, slots=True)
class Page:
    """The page that calls. `preview_of` is the one assistant that it may open, where it is an operator's preview.

    `preview_version`, there: the version (the draft, say) of what the platform serves that answers in place of the published one.
    """

    tenant: TenantSnapshot
    origin: str
    preview_of: str | None = None
    preview_version: uuid.UUID | None = None


async def find_tenant(gateway: Gateway, public_id: str) -> TenantSnapshot:
    """The tenant, whatever its state; raises PublicError (tenant_unknown, platform_unavailable)."""
    tenant = await gateway.snapshots.get(public_id)
    if tenant is None:
        raise PublicError(Code.TENANT_UNKNOWN, reason="no_such_tenant")
    return tenant


def require_active(tenant: TenantSnapshot) -> None:
    """To the outside a suspended tenant is one that does not exist."""
    if not tenant.is_active:
        raise PublicError(Code.TENANT_UNKNOWN, reason=f"tenant_{tenant.state}")


def limit_address(gateway: Gateway, address: str, *, door: str, per_minute: int) -> None:
    """Stop a flood before it costs anything: counted in this process alone, without I/O. Raises PublicError.

    Each door counts for itself, so that many page views of an office do not use up its sessions.
    """
    flood = Limit(f"flood:{door}:{network_of(address)}", per_minute, "address_flood")
    decision = gateway.limiter.take_here([flood])
    if not decision.is_admitted:
        raise PublicError(Code.RATE_LIMITED, reason=flood.reason, retry_after=decision.retry_after)


def decide_origin(tenant: TenantSnapshot, request: LeanRequest) -> Page:
    """The page, if it is on the tenant's list or our own preview with a ticket; raises PublicError (origin_…)."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin and request.META.get("HTTP_SEC_FETCH_SITE") == "none":
        # “None” is what a browser says of an address that somebody typed, never of a page's call: the two can't both be true.
        raise PublicError(Code.ORIGIN_NOT_ALLOWED, reason="fetch_metadata")
    verdict = tenant.origins.decide(origin, now=time.time())
    if verdict and origin is not None:
        return Page(tenant, origin)
    if origin is not None and origin == settings.PREVIEW_ORIGIN:
        if request.method == "OPTIONS" and _announces_ticket(request):
            return Page(tenant, origin)
        ticket = read_preview_ticket(
            request.headers.get(TICKET_HEADER, ""), tenant_public_id=tenant.public_id, now=int(time.time())
        )
        if ticket is not None:
            return Page(tenant, origin, preview_of=ticket.assistant_slug, preview_version=ticket.version_id)
    raise PublicError(Code(verdict.reason.code), reason=verdict.reason.value)


def choose_assistant(page: Page, slug: str | None) -> AssistantSnapshot:
    """The named assistant, or the default one where none is named; raises PublicError (assistant_unknown)."""
    assistant = page.tenant.assistant(slug)
    if assistant is None:
        reason = "no_default_assistant" if slug is None else "no_such_assistant"
        raise PublicError(Code.ASSISTANT_UNKNOWN, reason=reason)
    if page.preview_of is not None and page.preview_of != assistant.slug:
        raise PublicError(Code.ORIGIN_NOT_ALLOWED, reason="ticket_of_another_assistant")
    return assistant


def backend_of(page: Page, assistant: AssistantSnapshot) -> str:
    """Who answers this page: a version is tried on the platform itself, also before the assistant is switched to it."""
    return Backend.PLATFORM.value if page.preview_version is not None else assistant.backend


def _announces_ticket(request: LeanRequest) -> bool:
    """A preflight carries no header of the call that follows, only the names."""
    names = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "").lower().split(",")
    return any(name.strip() == TICKET_HEADER for name in names)
