"""What a visitor reads at the end of an answer that was cut off, as the last events of its stream."""

from typing import Final

from chatkit.errors import ErrorCode
from chatkit.types import ClientEffectEvent, ErrorEvent
from pydantic import BaseModel

from gateway.errors import Code, PublicError

# The embed script fetches its configuration anew and goes on in the mode that this names.
CONFIGURATION_CHANGED: Final = "chatkit_platform.configuration_changed"
_RENEWED: Final = "This chat has just been renewed. Please send your message again."
_ENDED: Final = "This chat has ended. Reload the page to begin anew."
_UNAVAILABLE: Final = "This chat is not available just now."
_RENEWING: Final = frozenset({"backend_switched", "assistant_gone", "tenant_epoch", "assistant_epoch"})


def serialize(event: BaseModel) -> bytes:
    """One server-sent event, as ChatKit's server writes it."""
    json = event.model_dump_json(by_alias=True, exclude_none=True, context={"exclude_metadata": True})
    return b"data: " + json.encode() + b"\n\n"


def last_words(withdrawn: PublicError) -> bytes:
    """For a right that was lost while the answer came: it may not be asked for again with the same token."""
    if withdrawn.reason in _RENEWING:
        effect = ClientEffectEvent(name=CONFIGURATION_CHANGED)
        return serialize(effect) + serialize(ErrorEvent(code="custom", message=_RENEWED, allow_retry=False))
    words = _UNAVAILABLE if withdrawn.code is Code.TENANT_MISCONFIGURED else _ENDED
    return serialize(ErrorEvent(code="custom", message=words, allow_retry=False))


BROKE_OFF: Final = serialize(ErrorEvent(code=ErrorCode.STREAM_ERROR, allow_retry=True))
