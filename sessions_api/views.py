"""The session endpoint's door: decides in the order of docs/security.md, answers, and leaves a row for every attempt."""

import time

from django.http import HttpResponse

from audit.addresses import truncate_address
from gateway import cors
from gateway.admission import decide_origin, find_tenant, limit_address, require_active
from gateway.errors import Code, PublicError, error_response, json_response
from gateway.lean import LeanRequest
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk, desk_of
from sessions_api.issue import issue_session
from sessions_api.reading import read_session_call
from sessions_api.refusals import Refusal
from sessions_api.writer import WriteFailed

ALLOWED_METHODS = "POST, OPTIONS"
# A refusal is refused whether or not its row is written in time; a granted session waits longer.
REFUSAL_SECONDS = 2.0


async def session(request: LeanRequest, public_id: str) -> HttpResponse:
    """POST …/chatkit/session/ and its preflight."""
    desk = desk_of(request)
    attempt = Attempt.of(request)
    origin = ""
    try:
        tenant = await find_tenant(desk.gateway, public_id)
        attempt.tenant = tenant
        require_active(tenant)
        limit_address(desk.gateway, attempt.address)
        page = decide_origin(tenant, request)
        origin = page.origin
        if attempt.is_preflight:
            requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            response = cors.preflight_response(methods=ALLOWED_METHODS, requested_headers=requested)
        else:
            call = read_session_call(request)
            attempt.is_refresh = call.refresh
            granted = await issue_session(desk=desk, page=page, call=call, attempt=attempt)
            response = json_response(granted.answer())
    except PublicError as error:
        await _record_refusal(desk, attempt, error)
        response = error_response(error, request_id=request.request_id)
        if error.code is Code.METHOD_NOT_ALLOWED:
            response["Allow"] = ALLOWED_METHODS
    cors.vary(response)
    if origin:
        cors.share(response, origin)
    return response


async def _record_refusal(desk: Desk, attempt: Attempt, error: PublicError) -> None:
    """Unknown tenants leave nothing; what OpenAI was asked for always leaves a row; the rest is folded."""
    if attempt.tenant is None:
        return
    is_of_origin = error.code.startswith("origin_")
    refusal = Refusal(
        tenant_id=attempt.tenant.id,
        outcome=error.code,
        reason=error.reason,
        place=attempt.origin if is_of_origin else truncate_address(attempt.address),
        minute=int(time.time() // 60),
        is_preflight=attempt.is_preflight,
    )
    # A flood leaves no row of its own, only its count.
    at_most = 0 if error.reason == "address_flood" else None
    if attempt.upstream_ms is None and not desk.fold.leaves_row(refusal, at_most=at_most):
        return
    try:
        await desk.writer.write(attempt.row(outcome=error.code, reason=error.reason), seconds=REFUSAL_SECONDS)
    except WriteFailed:
        # The writer has logged it.
        return
