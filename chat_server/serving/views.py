"""The door of a chat: decides in the order of docs/security.md, then lets ChatKit's server answer, as a stream or at once."""

import logging
from typing import Final, NoReturn

from chatkit.store import NotFoundError
from chatkit.types import NonStreamingReq, StreamingReq, is_streaming_req
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from pydantic import ValidationError

from chat_server.metering import CUT, admit_run
from chat_server.serving.attachments import require_files
from chat_server.serving.authorise import identify_caller, page_origin, read_grant
from chat_server.serving.context import ChatContext
from chat_server.serving.desk import ChatDesk, chat_desk_of
from chat_server.serving.endings import BROKE_OFF
from chat_server.serving.input_items import MOST_CHARS
from chat_server.serving.pump import Pump
from chat_server.serving.quiet import without_content
from chat_server.serving.reading import characters_of, read_chat_call, require_bounded
from chat_server.serving.server import PlatformChatKitServer
from chat_server.serving.store import StoreSilent
from chat_server.serving.streams import OpenStream
from chat_server.serving.take_turn import take_turn
from gateway import cors
from gateway.admission import find_tenant, limit_address, require_active
from gateway.errors import Code, PublicError, as_public, error_response
from gateway.lean import Answer, LeanRequest, LeanStream
from sessions_api.attempt import Attempt
from sessions_api.record_refusal import record_refusal
from tenants.snapshot import TenantSnapshot

logger = logging.getLogger(__name__)

ALLOWED_METHODS: Final = "POST, OPTIONS"
# Of one session come so many calls a minute: messages, histories, titles, each with a preflight.
CALLS_PER_SESSION: Final = 20
# A page asks for a new token, or its visitor for what is gone: nothing that an operator has to know of.
_EVERYDAY: Final = frozenset({Code.TOKEN_INVALID, Code.NOT_FOUND, Code.INTEGRATION_OUTDATED})
_server = PlatformChatKitServer()


async def chat(request: LeanRequest, public_id: str) -> Answer:
    """POST …/chatkit/ and its preflight."""
    desk = chat_desk_of(request)
    attempt = Attempt.of(request)
    origin = ""
    response: Answer
    try:
        tenant = await find_tenant(desk.gateway, public_id)
        attempt.tenant = tenant
        require_active(tenant)
        calls = CALLS_PER_SESSION * max(settings.SESSIONS_PER_MINUTE_ADDRESS, tenant.limits.per_address)
        limit_address(desk.gateway, attempt.address, door="chat", per_minute=calls)
        origin = page_origin(tenant, request)
        if attempt.is_preflight:
            requested = request.META.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            response = cors.preflight_response(methods=ALLOWED_METHODS, requested_headers=requested)
        else:
            response = await _converse(desk, tenant, request, attempt, origin=origin)
    except Exception as failure:
        error = as_public(failure, path=request.path)
        # What metering refuses stands in the ledger of runs.
        is_metered = error.code in (Code.RATE_LIMITED, Code.QUOTA_EXCEEDED) and error.reason != "address_flood"
        if error.code not in _EVERYDAY and not is_metered:
            await record_refusal(desk.sessions, attempt, error)
        response = error_response(error, request_id=request.request_id)
        if error.code is Code.METHOD_NOT_ALLOWED:
            response["Allow"] = ALLOWED_METHODS
    cors.vary(response)
    if origin:
        cors.share(response, origin)
    return response


async def _converse(
    desk: ChatDesk, tenant: TenantSnapshot, request: LeanRequest, attempt: Attempt, *, origin: str
) -> Answer:
    call = read_chat_call(request)
    grant = read_grant(request, tenant, origin=origin)
    attempt.visitor_ref, attempt.visitor_kind = grant.visitor_ref, grant.visitor_kind
    caller = await identify_caller(desk, tenant, grant, needs_key=is_streaming_req(call))
    attempt.assistant_slug = caller.assistant.slug
    require_bounded(call, caller.agent)
    context = ChatContext(
        desk=desk,
        tenant=tenant,
        assistant=caller.assistant,
        agent=caller.agent,
        grant=grant,
        operation=call.type,
        request_id=request.request_id,
    )
    if is_streaming_req(call):
        return await _stream(call, context)
    return await _answer(call, context)


async def _answer(call: NonStreamingReq, context: ChatContext) -> HttpResponse:
    try:
        body = await _server.answer(call, context)
    except Exception as failure:
        _refuse(failure)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


async def _stream(call: StreamingReq, context: ChatContext) -> StreamingHttpResponse:
    """The first event comes before the headers: until then, what is wrong is told by a status."""
    try:
        await require_files(call, context)
    except Exception as failure:
        _refuse(failure)
    streams = context.desk.streams
    place = streams.place(context.tenant.id)
    try:
        before = await take_turn(call, context)
        context.account = await admit_run(
            context.desk,
            tenant=context.tenant,
            assistant=context.assistant,
            agent=context.agent,
            grant=context.grant,
            operation=context.operation,
            request_id=context.request_id,
            input_chars=characters_of(call) + min(before, MOST_CHARS),
        )
    except BaseException as failure:
        place.close()
        await context.desk.turns.give_back(context.turn)
        if isinstance(failure, NotFoundError | StoreSilent):
            _refuse(failure)
        raise
    account, turn = context.account, context.turn

    async def finished(failure: Exception | None) -> None:
        # Whoever ran a model has settled the account; here, what came to no run.
        await account.settle(CUT if failure is None else _code_of(failure))
        await context.desk.turns.give_back(turn)

    pump = Pump(_server.events(call, context), failed=BROKE_OFF, finished=finished)
    streams.add(OpenStream(context.tenant.public_id, context.grant, pump), place)
    try:
        if not await pump.begin():
            raise NotFoundError
    except BaseException as failure:
        pump.end()
        if isinstance(failure, Exception):
            _refuse(failure)
        raise
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return LeanStream(pump.pieces(), headers=headers, on_end=pump.end)


def _refuse(failure: Exception) -> NoReturn:
    """Raises PublicError for what was raised before anything was answered; it carries nothing of what was said."""
    if isinstance(failure, PublicError):
        raise failure
    if isinstance(failure, NotFoundError):
        raise PublicError(Code.NOT_FOUND, reason="no_such_row") from None
    if isinstance(failure, StoreSilent):
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason=failure.reason) from None
    if isinstance(failure, ValueError) and not isinstance(failure, ValidationError):
        # ChatKit's word for a call that does not fit the conversation: no pending tool call, not a user's message.
        refusal = PublicError(Code.BODY_INVALID, reason="out_of_turn")
        refusal.message = (
            "This does not fit the conversation as it stands: load it again, and go on from its last item."
        )
        raise refusal from None
    logger.error("A defect in a chat: %s", without_content(failure))
    raise PublicError(Code.INTERNAL_ERROR, reason=type(failure).__name__[:40]) from None


def _code_of(failure: Exception) -> str:
    try:
        _refuse(failure)
    except PublicError as error:
        return error.code.value
