"""Reads a ChatKit request: method, type and size, then JSON of one of the package's own types."""

import json
from typing import Final

from chatkit.types import (
    ChatKitReq,
    NonStreamingReq,
    StreamingReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
    ThreadsUpdateReq,
)
from pydantic import TypeAdapter, ValidationError

from chat_server.serving.input_items import MOST_CHARS, length_of
from gateway.errors import Code, PublicError
from gateway.lean import LeanRequest
from tenants.agents import AgentSnapshot

MOST_TITLE_CHARS: Final = 200
# A message that is somewhat too long is kept and answered in words; what is far beyond that is not even kept.
_BYTES_PER_CHAR: Final = 8
_SPARE_BYTES: Final = 16 * 1024
_request: Final[TypeAdapter[ChatKitReq]] = TypeAdapter(ChatKitReq)


def read_chat_call(request: LeanRequest) -> ChatKitReq:
    """Raises PublicError (method_not_allowed, content_type_invalid, body_…), in this order."""
    if request.method != "POST":
        raise PublicError(Code.METHOD_NOT_ALLOWED, reason="method_not_allowed")
    if request.content_type != "application/json":
        raise PublicError(Code.CONTENT_TYPE_INVALID, reason="content_type_invalid")
    if request.body_is_too_large:
        refusal = PublicError(Code.BODY_TOO_LARGE, reason="body_too_large")
        refusal.message = "The body is too large: a chat request has at most 512 KiB."
        raise refusal
    try:
        return _request.validate_json(request.body)
    except (ValidationError, RecursionError):
        # What it says quotes the body.
        raise PublicError(Code.BODY_INVALID, reason="body_not_chatkit") from None


def require_bounded(call: StreamingReq | NonStreamingReq, agent: AgentSnapshot) -> None:
    """Raises PublicError (body_too_large): what is kept is read again with each history, and shown to the model."""
    match call:
        case ThreadsCreateReq() | ThreadsAddUserMessageReq():
            most = _SPARE_BYTES + _BYTES_PER_CHAR * agent.max_input_chars
            if len(call.params.input.model_dump_json().encode()) > most:
                raise _too_long("message_too_long", f"A message has at most {agent.max_input_chars:,} characters here.")
        case ThreadsAddStructuredInputReq():
            if characters_of(call) > agent.max_input_chars:
                raise _too_long("answers_too_long", f"Answers have {agent.max_input_chars:,} characters together.")
        case ThreadsAddClientToolOutputReq():
            if characters_of(call) > MOST_CHARS:
                raise _too_long("output_too_long", f"A function's result has at most {MOST_CHARS:,} characters.")
        case ThreadsUpdateReq():
            if len(call.params.title) > MOST_TITLE_CHARS:
                raise _too_long("title_too_long", f"A title has at most {MOST_TITLE_CHARS} characters.")
        case _:
            return


def _too_long(reason: str, message: str) -> PublicError:
    refusal = PublicError(Code.BODY_TOO_LARGE, reason=reason)
    refusal.message = message
    return refusal


def characters_of(call: StreamingReq) -> int:
    """How much the visitor sends to the model with this call."""
    match call:
        case ThreadsCreateReq() | ThreadsAddUserMessageReq():
            return length_of(call.params.input)
        case ThreadsAddClientToolOutputReq():
            return len(json.dumps(call.params.result, default=str))
        case ThreadsAddStructuredInputReq():
            return sum(len(value) for answer in call.params.input.answers.values() for value in answer.values)
        case ThreadsCustomActionReq():
            return len(json.dumps(call.params.action.payload, default=str))
        case _:
            return 0
