"""Where the keys of conversations and files may be opened, and the ids that are too long to guess."""

import secrets
import uuid
from typing import Any, Final

from encryption.vault import Binding

THREAD: Final = "thr"
ATTACHMENT: Final = "atc"
THREAD_PURPOSE: Final = "chat-thread"
ATTACHMENT_PURPOSE: Final = "chat-attachment"
_ID_BYTES: Final = 16


def new_id(prefix: str) -> str:
    """The prefix and 128 random bits in hex."""
    return f"{prefix}_{secrets.token_hex(_ID_BYTES)}"


def thread_binding(thread: Any) -> Binding:
    return Binding(thread.tenant_id, THREAD_PURPOSE, _row(thread.id))


def attachment_binding(attachment: Any) -> Binding:
    return Binding(attachment.tenant_id, ATTACHMENT_PURPOSE, _row(attachment.id))


def _row(public_id: str) -> uuid.UUID:
    return uuid.UUID(hex=public_id.partition("_")[2])
