"""The doors of opening and ending a session: both decide in the order of docs/security.md, answer, and record refusals."""

from collections.abc import Awaitable, Callable
from typing import Final

from django.conf import settings
from django.http import HttpResponse

from gateway import cors
from gateway.admission import Page, decide_origin, find_tenant, limit_address, require_active
from gateway.errors import Code, as_public, error_response, json_response
from gateway.lean import LeanRequest
from gateway.rate_headers import tell_limits
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk, desk_of
from sessions_api.end_session import end_session
from sessions_api.issue import issue_session
from sessions_api.reading import read_end_call, read_session_call
from sessions_api.record_refusal import record_refusal

ALLOWED_METHODS: Final = "POST, OPTIONS"
# A session takes a preflight and a POST; what is refused further on must not use up an honest visitor's turns.
CALLS_PER_SESSION: Final = 2

Deed = Callable[[Desk, Page, LeanRequest, Attempt], Awaitable[HttpResponse]]


async def session(request: LeanRequest, public_id: str) -> HttpResponse:
    """POST …/chatkit/session/ and its preflight. Every attempt leaves a row."""
    return await _serve(request, public_id, _open, door="session")


async def end(request: LeanRequest, public_id: str) -> HttpResponse:
    """POST …/chatkit/session/end/ and its preflight. A success leaves no row in the ledger; a refusal does, as for sessions."""
    return await _serve(request, public_id, _end, door="end")


async def _open(desk: Desk, page: Page, request: LeanRequest, attempt: Attempt) -> HttpResponse:
    call = read_session_call(request)
    attempt.is_refresh = call.refresh
    granted = await issue_session(desk=desk, page=page, call=call, attempt=attempt)
    return json_response(granted.answer())


async def _end(desk: Desk, page: Page, request: LeanRequest, attempt: Attempt) -> HttpResponse:
    await end_session(desk=desk, page=page, call=read_end_call(request), attempt=attempt)
    return HttpResponse(status=204, headers={"Cache-Control": "no-store"})


async def _serve(request: LeanRequest, public_id: str, deed: Deed, *, door: str) -> HttpResponse:
    desk = desk_of(request)
    attempt = Attempt.of(request)
    origin = ""
    try:
        tenant = await find_tenant(desk.gateway, public_id)
        attempt.tenant = tenant
        require_active(tenant)
        # A tenant may allow an address more than the site does.
        sessions = max(settings.SESSIONS_PER_MINUTE_ADDRESS, tenant.limits.per_address)
        limit_address(desk.gateway, attempt.address, door=door, per_minute=CALLS_PER_SESSION * sessions)
        page = decide_origin(tenant, request)
        origin = page.origin
        if attempt.is_preflight:
            requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            response = cors.preflight_response(methods=ALLOWED_METHODS, requested_headers=requested)
        else:
            response = await deed(desk, page, request, attempt)
    except Exception as failure:
        error = as_public(failure, path=request.path)
        await record_refusal(desk, attempt, error)
        response = error_response(error, request_id=request.request_id)
        if error.code is Code.METHOD_NOT_ALLOWED:
            response["Allow"] = ALLOWED_METHODS
    if attempt.limited is not None:
        tell_limits(response, attempt.limited)
    cors.vary(response)
    if origin:
        cors.share(response, origin)
    return response
