"""A page for whoever sets up the proxy: which address and scheme the platform sees in the request for this very page."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from audit.changes import printable
from gateway.address_diagnosis import diagnose

# What forwarding headers there are; only the first two are ever read, and only behind a trusted proxy.
HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "Host")


@permission_required("sessions_api.view_sessionrequest", raise_exception=True)
def your_address(request: HttpRequest) -> HttpResponse:
    peer, scheme = getattr(request, "peer", (request.META.get("REMOTE_ADDR", ""), request.scheme or "http"))
    received = {name: request.headers.get(name, "") for name in HEADERS}
    context = {
        **admin.site.each_context(request),
        "title": "What the platform sees of you",
        "diagnosis": diagnose(
            peer=peer,
            scheme=scheme,
            forwarded_for=received["X-Forwarded-For"],
            forwarded_proto=received["X-Forwarded-Proto"],
            trusted=settings.TRUSTED_PROXY_COUNT,
        ),
        "peer": peer,
        "scheme": scheme,
        "trusted": settings.TRUSTED_PROXY_COUNT,
        "received": [(name, printable(value[:300])) for name, value in received.items() if value],
    }
    return TemplateResponse(request, "dashboards/your_address.html", context)
