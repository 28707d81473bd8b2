"""Reads a ChatKit request: method, type and size, then JSON of one of the package's own types."""

import json
from typing import Final

from chatkit.types import (
    ChatKitReq,
    StreamingReq,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsCustomActionReq,
)
from pydantic import TypeAdapter, ValidationError

from gateway.errors import Code, PublicError
from gateway.lean import LeanRequest

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


def characters_of(call: StreamingReq) -> int:
    """How much the visitor sends to the model with this call."""
    match call:
        case ThreadsCreateReq() | ThreadsAddUserMessageReq():
            message = call.params.input
            return sum(len(part.text) for part in message.content) + len(message.quoted_text or "")
        case ThreadsAddClientToolOutputReq():
            return len(json.dumps(call.params.result, default=str))
        case ThreadsAddStructuredInputReq():
            return sum(len(value) for answer in call.params.input.answers.values() for value in answer.values)
        case ThreadsCustomActionReq():
            return len(json.dumps(call.params.action.payload, default=str))
        case _:
            return 0
