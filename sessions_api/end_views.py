"""The door of signing out: the same decisions in the same order as for a session, then the token."""

from typing import Final

from django.conf import settings
from django.http import HttpResponse

from gateway import cors
from gateway.admission import decide_origin, find_tenant, limit_address, require_active
from gateway.errors import Code, as_public, error_response
from gateway.lean import LeanRequest
from sessions_api.attempt import Attempt
from sessions_api.desk import desk_of
from sessions_api.end_session import end_session
from sessions_api.reading import read_end_call
from sessions_api.record_refusal import record_refusal

ALLOWED_METHODS: Final = "POST, OPTIONS"


async def end(request: LeanRequest, public_id: str) -> HttpResponse:
    """POST …/chatkit/session/end/ and its preflight. A success leaves no row in the ledger; a refusal does, as for sessions."""
    desk = desk_of(request)
    attempt = Attempt.of(request)
    origin = ""
    try:
        tenant = await find_tenant(desk.gateway, public_id)
        attempt.tenant = tenant
        require_active(tenant)
        limit_address(desk.gateway, attempt.address, door="end", per_minute=settings.SESSIONS_PER_MINUTE_ADDRESS)
        page = decide_origin(tenant, request)
        origin = page.origin
        if attempt.is_preflight:
            requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            response = cors.preflight_response(methods=ALLOWED_METHODS, requested_headers=requested)
        else:
            await end_session(desk=desk, page=page, call=read_end_call(request), attempt=attempt)
            response = HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    except Exception as failure:
        error = as_public(failure, path=request.path)
        await record_refusal(desk, attempt, error)
        response = error_response(error, request_id=request.request_id)
        if error.code is Code.METHOD_NOT_ALLOWED:
            response["Allow"] = ALLOWED_METHODS
    cors.vary(response)
    if origin:
        cors.share(response, origin)
    return response
