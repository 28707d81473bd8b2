"""Signed links to one file of one visitor's chat: whoever has one may do the one thing that it names, for ten minutes.

ChatKit's frame uploads files and shows images by itself, without the chat token, so the link is the credential.
Link: `fl1.<key id>.<payload>.<mac>`, at most 512 characters (the frame is specified in `encryption.signed`, its context is the
tenant's public id). The payload is a JSON object in ASCII with one-letter names, as `FileGrant` has them.
"""

import json
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from encryption.signed import TokenKind, read_signed, sign

LIFETIME: Final = 10 * 60
# How far the clocks of two of our machines may differ before a link seems to come from the future.
CLOCK_SKEW: Final = 30
FILE_LINK: Final = TokenKind(version="fl1", label="file-link", max_length=512)


class FileAction(StrEnum):
    UPLOAD = "upload"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class FileGrant:
    """What a link opens. `issued_at` in epoch seconds; the epochs are the tenant's and the assistant's, as in a chat token."""

    action: FileAction
    attachment_id: str
    assistant_id: uuid.UUID
    visitor_ref: str
    issued_at: int
    tenant_epoch: int
    assistant_epoch: int


def mint_file_link(grant: FileGrant, *, tenant_public_id: str) -> str:
    payload = {
        "d": grant.action.value,
        "f": grant.attachment_id,
        "a": grant.assistant_id.hex,
        "v": grant.visitor_ref,
        "i": grant.issued_at,
        "e": [grant.tenant_epoch, grant.assistant_epoch],
    }
    return sign(FILE_LINK, json.dumps(payload, separators=(",", ":")).encode("ascii"), context=tenant_public_id)


def read_file_link(
    link: str, *, tenant_public_id: str, attachment_id: str, action: FileAction, now: int
) -> FileGrant | None:
    """What the link grants, or None for one that is forged, expired, of another tenant, another file or another deed."""
    payload = read_signed(FILE_LINK, link, context=tenant_public_id)
    if payload is None:
        return None
    try:
        grant = _grant(json.loads(payload))
    # Only a release that signed something else comes here: what is read is what we signed.
    except (ValueError, KeyError, TypeError):
        return None
    is_of_now = -CLOCK_SKEW <= now - grant.issued_at < LIFETIME
    return grant if is_of_now and (grant.attachment_id, grant.action) == (attachment_id, action) else None


def _grant(data: dict[str, Any]) -> FileGrant:
    tenant_epoch, assistant_epoch = data["e"]
    return FileGrant(
        action=FileAction(data["d"]),
        attachment_id=data["f"],
        assistant_id=uuid.UUID(hex=data["a"]),
        visitor_ref=data["v"],
        issued_at=data["i"],
        tenant_epoch=tenant_epoch,
        assistant_epoch=assistant_epoch,
    )
