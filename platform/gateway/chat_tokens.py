"""The credential of a chat that the platform serves itself: what the session endpoint hands out, and the chat endpoint believes.

Token: `ct1.<key id>.<payload>.<mac>`, at most 1,024 characters (the frame is specified in `encryption.signed`, its context is
the tenant's public id; the kind's label is its audience, so that no visitor's token or ticket passes for one). The payload is a
JSON object in ASCII with one-letter names, as `ChatGrant` has them. It lives 600 s at most. It counts while the epochs in it are
the tenant's and the assistant's, and while the visitor was not revoked after it was issued: `chat_server` looks on each request
and every second of an open stream, in memory.
"""

import json
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from encryption.signed import TokenKind, read_signed, sign

MAX_LIFETIME: Final = 600
# How far the clocks of two of our machines may differ.
CLOCK_SKEW: Final = 30
CHAT_TOKEN: Final = TokenKind(version="ct1", label="chat-token", max_length=1024)


@dataclass(frozen=True, slots=True)
class ChatGrant:
    """One visitor's chat with one assistant on one origin. Times in epoch seconds.

    `preview_version` is the version (the draft, say) that an operator's preview tries; None: the one that is published.
    """

    assistant_id: uuid.UUID
    visitor_ref: str
    visitor_kind: str
    origin: str
    issued_at: int
    expires_at: int
    tenant_epoch: int
    assistant_epoch: int
    visitor_epoch: int
    preview_version: uuid.UUID | None = None
    jti: str = field(default_factory=lambda: secrets.token_hex(8))


def mint_chat_token(grant: ChatGrant, *, tenant_public_id: str) -> str:
    """Raises ValueError for a lifetime that is none or over 600 s."""
    if not 0 < grant.expires_at - grant.issued_at <= MAX_LIFETIME:
        raise ValueError(f"A chat token lives 1 to {MAX_LIFETIME} seconds.")
    payload = {
        "a": grant.assistant_id.hex,
        "v": grant.visitor_ref,
        "k": grant.visitor_kind,
        "o": grant.origin,
        "i": grant.issued_at,
        "x": grant.expires_at,
        "e": [grant.tenant_epoch, grant.assistant_epoch, grant.visitor_epoch],
        "p": grant.preview_version.hex if grant.preview_version else None,
        "j": grant.jti,
    }
    return sign(CHAT_TOKEN, json.dumps(payload, separators=(",", ":")).encode("ascii"), context=tenant_public_id)


def read_chat_token(token: str, *, tenant_public_id: str, now: int) -> ChatGrant | None:
    """What the token grants, or None for one that is forged, of another tenant, expired or damaged. Epochs are the caller's."""
    payload = read_signed(CHAT_TOKEN, token, context=tenant_public_id)
    if payload is None:
        return None
    try:
        grant = _grant(json.loads(payload))
    # Only a release that signed something else comes here: what is read is what we signed.
    except (ValueError, KeyError, TypeError):
        return None
    is_of_now = grant.issued_at - CLOCK_SKEW <= now < grant.expires_at
    return grant if is_of_now and grant.expires_at - grant.issued_at <= MAX_LIFETIME else None


def _grant(data: dict[str, Any]) -> ChatGrant:
    tenant_epoch, assistant_epoch, visitor_epoch = data["e"]
    return ChatGrant(
        assistant_id=uuid.UUID(hex=data["a"]),
        visitor_ref=data["v"],
        visitor_kind=data["k"],
        origin=data["o"],
        issued_at=data["i"],
        expires_at=data["x"],
        tenant_epoch=tenant_epoch,
        assistant_epoch=assistant_epoch,
        visitor_epoch=visitor_epoch,
        preview_version=uuid.UUID(hex=data["p"]) if data["p"] else None,
        jti=data["j"],
    )
