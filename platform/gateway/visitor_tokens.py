"""Who a visitor is: our signed token for it, and the names under which OpenAI and our ledger know it.

Token: `vt1.<key id>.<payload>.<mac>`, at most 512 characters (the frame is specified in `encryption.signed`, its
context is the tenant's public id). Payload, integers big-endian:

    kind           1 byte: 0 anon, 1 known
    issued at      5 bytes, epoch seconds
    visitor epoch  4 bytes, the tenant's
    anon           16 random bytes, the visitor's id
    known          16 bytes pseudonym, 16 bytes proof, then 1 to 255 bytes of the tenant's own name for the visitor

It is a bearer credential: whoever has it is that visitor. The proof is a digest of the signed identity that the token
was given for, so that the same identity may be shown again together with it, and by nobody else.
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
PSEUDONYM_BYTES: Final = 16
PROOF_BYTES: Final = 16
_HEAD_BYTES: Final = 10


class VisitorKind(StrEnum):
    ANON = "anon"
    KNOWN = "known"


_CODE_OF_KIND: Final = {VisitorKind.ANON: 0, VisitorKind.KNOWN: 1}
_KIND_OF_CODE: Final = {code: kind for kind, code in _CODE_OF_KIND.items()}


@dataclass(frozen=True, slots=True)
class Visitor:
    """One person at one tenant. Raises ValueError for an id that its kind cannot have.

    `pseudonym` is what a known visitor's name in the ledger is made of: random, kept in the visitor's row and token
    alone, so that erasing the visitor destroys it. An anonymous visitor's id is random itself and kept nowhere else.
    """

    kind: VisitorKind
    id: bytes = field(repr=False)
    pseudonym: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if self.kind is VisitorKind.ANON and len(self.id) != ANONYMOUS_ID_BYTES:
            raise ValueError(f"An anonymous visitor's id has {ANONYMOUS_ID_BYTES} bytes.")
        if not 1 <= len(self.id) <= MAX_KNOWN_ID_BYTES:
            raise ValueError(f"A known visitor's id has 1 to {MAX_KNOWN_ID_BYTES} bytes.")
        if len(self.pseudonym) != (0 if self.kind is VisitorKind.ANON else PSEUDONYM_BYTES):
            raise ValueError(f"A known visitor, and no other, has a pseudonym of {PSEUDONYM_BYTES} bytes.")

    @classmethod
    def anonymous(cls) -> "Visitor":
        """Somebody new."""
        return cls(VisitorKind.ANON, secrets.token_bytes(ANONYMOUS_ID_BYTES))

    @classmethod
    def known(cls, subject: str, *, pseudonym: bytes) -> "Visitor":
        """The person whom the tenant itself calls `subject`."""
        return cls(VisitorKind.KNOWN, subject.encode(), pseudonym)


@dataclass(frozen=True, slots=True)
class VisitorToken:
    """What a genuine token says. `issued_at` in epoch seconds; `proof` is empty for an anonymous visitor."""

    visitor: Visitor
    issued_at: int
    proof: bytes = field(default=b"", repr=False)


def mint_visitor_token(visitor: Visitor, *, tenant_public_id: str, epoch: int, now: int, proof: bytes = b"") -> str:
    """A token that names this visitor at this tenant from `now` (epoch seconds); a known one with its proof."""
    if len(proof) != (0 if visitor.kind is VisitorKind.ANON else PROOF_BYTES):
        raise ValueError(f"A known visitor's token, and no other, has a proof of {PROOF_BYTES} bytes.")
    head = bytes([_CODE_OF_KIND[visitor.kind]]) + now.to_bytes(5, "big") + epoch.to_bytes(4, "big")
    return sign(VISITOR_TOKEN, head + visitor.pseudonym + proof + visitor.id, context=tenant_public_id)


def read_visitor_token(token: str, *, tenant_public_id: str, epoch: int, now: int) -> VisitorToken | None:
    """What the token says, or None for one that is forged, of another tenant or visitor epoch, expired or damaged."""
    payload = read_signed(VISITOR_TOKEN, token, context=tenant_public_id)
    if payload is None or len(payload) <= _HEAD_BYTES:
        return None
    kind = _KIND_OF_CODE.get(payload[0])
    issued_at = int.from_bytes(payload[1:6], "big")
    age = now - issued_at
    if kind is None or not -CLOCK_SKEW <= age < LIFETIME or int.from_bytes(payload[6:10], "big") != epoch:
        return None
    rest = payload[_HEAD_BYTES:]
    try:
        if kind is VisitorKind.ANON:
            return VisitorToken(Visitor(kind, rest), issued_at)
        pseudonym, rest = rest[:PSEUDONYM_BYTES], rest[PSEUDONYM_BYTES:]
        return VisitorToken(Visitor(kind, rest[PROOF_BYTES:], pseudonym), issued_at, rest[:PROOF_BYTES])
    except ValueError:
        return None


def upstream_user(scope_secret: Secret, public_id: str, visitor: Visitor) -> str:
    """The `user` that OpenAI scopes chats by: `v1.<public id>.<base64url HMAC-SHA256(scope secret, kind ‖ 0 ‖ id)>`."""
    message = visitor.kind.value.encode() + b"\x00" + visitor.id
    mac = keyed_hash(scope_secret.reveal().encode(), message)
    return f"v1.{public_id}.{base64url.encode(mac)}"


def visitor_ref(visitor: Visitor, public_id: str) -> str:
    """What our ledger calls the visitor: 32 hex characters of an HMAC under a key that only the visitor's own has.

    It leads neither to the id nor to the upstream user; a row (`VisitorLink`) leads to both until the visitor is erased.
    """
    key = visitor.pseudonym or visitor.id
    return keyed_hash(key, b"ckp/visitor-ref/v2\x00" + public_id.encode())[:16].hex()
