"""Verifies the JWT by which a tenant's own server says who a visitor is. Pure: no clock, no database, no request.

What a token must be (the order in which it is looked at):

    size       at most 4,096 characters, before anything is decoded
    form       three parts, each in the one canonical base64url spelling without padding
    header     a JSON object; "alg" is the tenant's one algorithm; no "crit", "b64" or "zip". All else, "kid" too, is
               ignored: the active keys are at most two, and both are tried
    signature  by an active key; each key is bound to its algorithm, so a public key is never taken for a secret
    payload    a JSON object that names no claim twice
    claims     aud  the tenant's public id, as text or as a list of exactly it
               sub  1 to 255 bytes of UTF-8
               jti  1 to 128 characters
               exp, iat  seconds since 1970; from iat to exp more than 0 and at most 600 s
               nbf  the same, where there is one
    time       exp not past, iat and nbf not to come, within 120 s of either clock
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from jwt.algorithms import get_default_algorithms

from encryption import base64url
from gateway.identity_refusals import IdentityRefusal as Refusal
from gateway.visitor_tokens import MAX_KNOWN_ID_BYTES, PROOF_BYTES
from tenants.verifying_keys import VerifyingKey

MAX_TOKEN: Final = 4_096
MAX_JTI: Final = 128
MAX_LIFETIME: Final = 600
CLOCK_SKEW: Final = 120
MAX_TEXT: Final = 1_000
_LARGEST_INTEGER: Final = 2**53 - 1
_ALGORITHMS: Final = {name: get_default_algorithms()[name] for name in ("HS256", "EdDSA", "RS256")}
_CHANGES_READING: Final = frozenset({"crit", "b64", "zip"})

Variable = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the tenant vouches for. `expires_at` in epoch seconds; `variables` are the claims for the workflow.

    `dropped` names claims that the workflow should get and that no state variable can hold, `absent` those that the token
    lacks.
    """

    subject: str = field(repr=False)
    jti: str = field(repr=False)
    issued_at: float
    expires_at: float
    key: VerifyingKey
    variables: Mapping[str, Variable] = field(default_factory=dict, repr=False)
    dropped: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def counts_until(self) -> float:
        """Epoch seconds after which nobody takes this token any more."""
        return self.expires_at + CLOCK_SKEW

    def proof(self, tenant_public_id: str) -> bytes:
        """What a visitor's token carries of this: which key vouched (4 bytes), and a digest of jti, tenant and subject."""
        parts = (self.jti.encode(), tenant_public_id.encode(), self.subject.encode())
        digest = hashlib.sha256(b"ckp/identity-proof/v1" + b"".join(len(p).to_bytes(4, "big") + p for p in parts))
        return self.key.tag + digest.digest()[: PROOF_BYTES - len(self.key.tag)]


def verify_identity(
    token: str,
    *,
    keys: Sequence[VerifyingKey],
    algorithm: str,
    audience: str,
    now: float,
    claims: Sequence[str] = (),
) -> Identity | Refusal:
    """Whom the token names, or why it is refused; `now` in epoch seconds, `claims` those that the workflow may get."""
    if len(token) > MAX_TOKEN:
        return Refusal.TOO_LARGE
    parts = _decoded(token)
    if parts is None:
        return Refusal.MALFORMED
    header_text, payload_text, signature = parts
    header = _json_object(header_text)
    if header is None:
        return Refusal.MALFORMED
    if header.get("alg") != algorithm:
        return Refusal.ALGORITHM
    if _CHANGES_READING & header.keys():
        return Refusal.HEADER
    if not keys:
        return Refusal.NO_KEY
    key = _signer(token.rpartition(".")[0].encode(), signature, keys, algorithm)
    if key is None:
        return Refusal.SIGNATURE
    payload = _json_object(payload_text)
    if payload is None:
        return Refusal.PAYLOAD
    refusal = _who(payload, audience) or _when(payload, now)
    if refusal is not None:
        return refusal
    variables = {name: payload[name] for name in claims if _fits(payload.get(name))}
    return Identity(
        subject=payload["sub"],
        jti=payload["jti"],
        issued_at=payload["iat"],
        expires_at=payload["exp"],
        key=key,
        variables=variables,
        dropped=tuple(name for name in claims if name in payload and name not in variables),
        absent=tuple(name for name in claims if name not in payload),
    )


def _decoded(token: str) -> tuple[bytes, bytes, bytes] | None:
    try:
        header, payload, signature = (base64url.decode(part) for part in token.split("."))
    except ValueError:
        return None
    return header, payload, signature


def _json_object(text: bytes) -> dict[str, Any] | None:
    """None for what is no JSON object, or says something twice: two readers might believe different halves."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name stands there twice.")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"JSON knows no {name}.")


def _signer(signed: bytes, signature: bytes, keys: Sequence[VerifyingKey], algorithm: str) -> VerifyingKey | None:
    verifier = _ALGORITHMS[algorithm]
    return next((key for key in keys if verifier.verify(signed, key.for_pyjwt(), signature)), None)


def _who(payload: Mapping[str, Any], audience: str) -> Refusal | None:
    if "aud" not in payload:
        return Refusal.AUD_MISSING
    if payload["aud"] not in (audience, [audience]):
        return Refusal.AUDIENCE
    if "sub" not in payload:
        return Refusal.SUB_MISSING
    if not 1 <= _bytes_of(payload["sub"]) <= MAX_KNOWN_ID_BYTES:
        return Refusal.SUB_INVALID
    if "jti" not in payload:
        return Refusal.JTI_MISSING
    if not _bytes_of(payload["jti"]) or len(payload["jti"]) > MAX_JTI:
        return Refusal.JTI_INVALID
    return None


def _when(payload: Mapping[str, Any], now: float) -> Refusal | None:
    if "exp" not in payload:
        return Refusal.EXP_MISSING
    if not _is_time(payload["exp"]):
        return Refusal.EXP_INVALID
    if "iat" not in payload:
        return Refusal.IAT_MISSING
    if not _is_time(payload["iat"]):
        return Refusal.IAT_INVALID
    if "nbf" in payload and not _is_time(payload["nbf"]):
        return Refusal.NBF_INVALID
    if not 0 < payload["exp"] - payload["iat"] <= MAX_LIFETIME:
        return Refusal.LIFETIME
    if now >= payload["exp"] + CLOCK_SKEW:
        return Refusal.EXPIRED
    if max(payload["iat"], payload.get("nbf", 0)) > now + CLOCK_SKEW:
        return Refusal.NOT_YET
    return None


def _bytes_of(text: object) -> int:
    """How many bytes a text has in UTF-8; 0 for what is no text, or only looks like one (lone surrogates)."""
    if not isinstance(text, str):
        return 0
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return 0


def _is_time(value: object) -> bool:
    """A number as JSON has it, which says a time that clocks know."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LARGEST_INTEGER


def _fits(value: object) -> bool:
    """Whether a state variable can hold it: a short text, a number that every reader understands, or a truth value."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT and (not value or bool(_bytes_of(value)))
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= _LARGEST_INTEGER
    return isinstance(value, float) and math.isfinite(value)
