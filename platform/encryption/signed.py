"""Signed tokens that anybody may read and nobody else can make.

A token is text: `<version>.<key id>.<payload>.<mac>`, payload and mac in unpadded base64url. The mac is HMAC-SHA256,
under the signing key of the kind's label, over `<version>.<key id>.<context>.<payload>`. The context (a tenant's public
id) is not in the token: a token that is read in another context does not verify.
"""

import hmac
from dataclasses import dataclass

from encryption import base64url
from encryption.derive import primary_signing_id, signing_key
from encryption.keyed_hash import keyed_hash


@dataclass(frozen=True, slots=True)
class TokenKind:
    """One kind of signed token: its version word, the label of its key, and the longest text that is looked at."""

    version: str
    label: str
    max_length: int


def sign(kind: TokenKind, payload: bytes, *, context: str) -> str:
    key_id = primary_signing_id()
    text = base64url.encode(payload)
    token = f"{kind.version}.{key_id}.{text}.{_mac(kind, key_id, context, text)}"
    if len(token) > kind.max_length:
        raise ValueError(f"A {kind.label} may have at most {kind.max_length} characters.")
    return token


def read_signed(kind: TokenKind, token: str, *, context: str) -> bytes | None:
    """The payload, or None for a token that is not of this kind, not ours, of another context or too long."""
    if len(token) > kind.max_length or not token.isascii():
        return None
    parts = token.split(".")
    if len(parts) != 4 or parts[0] != kind.version:
        return None
    _, key_id, text, mac = parts
    try:
        expected = _mac(kind, key_id, context, text)
    except KeyError:
        return None
    # The texts are compared, not the bytes: a mac in another spelling of base64 is refused too.
    if not hmac.compare_digest(expected, mac):
        return None
    return base64url.decode(text)


def _mac(kind: TokenKind, key_id: str, context: str, text: str) -> str:
    message = f"{kind.version}.{key_id}.{context}.{text}".encode()
    return base64url.encode(keyed_hash(signing_key(kind.label, key_id), message))
