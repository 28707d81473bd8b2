"""Who a visitor is: our signed token for it, and the names under which OpenAI and our ledger know it.

Token: `vt1.<key id>.<payload>.<mac>`, at most 512 characters (the frame is specified in `encryption.signed`, its
context is the tenant's public id). Payload: kind (1 byte: 0 anon, 1 known), issued at (5 bytes, epoch seconds), the
tenant's visitor epoch (4 bytes), then the id (16 random bytes for anon, 1 to 255 bytes for known); integers are
big-endian.
It is a bearer credential: whoever has it is that visitor.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from encryption import base64url
from encryption.keyed_hash import keyed_hash
from encryption.secret import Secret
from encryption.signed import TokenKind, read_signed, sign

LIFETIME: Final = 180 * 24 * 3600
# How far the clocks of two of our machines may differ before a token seems to come from the future.
CLOCK_SKEW: Final = 300
ANONYMOUS_ID_BYTES: Final = 16
MAX_KNOWN_ID_BYTES: Final = 255
VISITOR_TOKEN: Final = TokenKind(version="vt1", label="visitor-token", max_length=512)
_HEAD_BYTES: Final = 10


class VisitorKind(StrEnum):
    ANON = "anon"
    KNOWN = "known"


_CODE_OF_KIND: Final = {VisitorKind.ANON: 0, VisitorKind.KNOWN: 1}
_KIND_OF_CODE: Final = {code: kind for kind, code in _CODE_OF_KIND.items()}


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person at one tenant. Raises ValueError for an id that its kind cannot have."""

    kind: VisitorKind
    id: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.kind is VisitorKind.ANON and len(self.id) != ANONYMOUS_ID_BYTES:
            raise ValueError(f"An anonymous visitor's id has {ANONYMOUS_ID_BYTES} bytes.")
        if not 1 <= len(self.id) <= MAX_KNOWN_ID_BYTES:
            raise ValueError(f"A known visitor's id has 1 to {MAX_KNOWN_ID_BYTES} bytes.")

    @classmethod
    def anonymous(cls) -> "Visitor":
        """Somebody new."""
        return cls(VisitorKind.ANON, secrets.token_bytes(ANONYMOUS_ID_BYTES))

    @classmethod
    def known(cls, subject: str) -> "Visitor":
        """Whom the tenant's own website calls by this name."""
        return cls(VisitorKind.KNOWN, subject.encode())


def mint_visitor_token(visitor: Visitor, *, tenant_public_id: str, epoch: int, now: int) -> str:
    """A token that names this visitor at this tenant for 180 days from `now` (epoch seconds)."""
    head = bytes([_CODE_OF_KIND[visitor.kind]]) + now.to_bytes(5, "big") + epoch.to_bytes(4, "big")
    return sign(VISITOR_TOKEN, head + visitor.id, context=tenant_public_id)


def read_visitor_token(token: str, *, tenant_public_id: str, epoch: int, now: int) -> Visitor | None:
    """The visitor, or None for a token that is forged, of another tenant or visitor epoch, expired or damaged."""
    payload = read_signed(VISITOR_TOKEN, token, context=tenant_public_id)
    if payload is None or len(payload) <= _HEAD_BYTES:
        return None
    kind = _KIND_OF_CODE.get(payload[0])
    age = now - int.from_bytes(payload[1:6], "big")
    if kind is None or not -CLOCK_SKEW <= age < LIFETIME or int.from_bytes(payload[6:10], "big") != epoch:
        return None
    try:
        return Visitor(kind, payload[_HEAD_BYTES:])
    except ValueError:
        return None


def upstream_user(scope_secret: Secret, public_id: str, visitor: Visitor) -> str:
    """The `user` that OpenAI scopes chats by: `v1.<public id>.<base64url HMAC-SHA256(scope secret, kind ‖ 0 ‖ id)>`."""
    return f"v1.{public_id}.{base64url.encode(_mac(scope_secret, b'', visitor))}"


def visitor_ref(scope_secret: Secret, visitor: Visitor) -> str:
    """What our ledger calls the visitor: 32 hex characters, which lead neither to the id nor to the upstream user."""
    return _mac(scope_secret, b"ckp/visitor-ref/v1\x00", visitor)[:16].hex()


def _mac(scope_secret: Secret, domain: bytes, visitor: Visitor) -> bytes:
    message = domain + visitor.kind.value.encode() + b"\x00" + visitor.id
    return keyed_hash(scope_secret.reveal().encode(), message)
