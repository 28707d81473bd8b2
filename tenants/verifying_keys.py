"""What a tenant's signed identities are checked with: a secret, or a public key that was pasted as PEM. Pure.

PyJWT alone touches the keys; its objects are carried about, and nobody here knows what is in them.
"""

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from jwt.algorithms import OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from encryption import base64url
from encryption.secret import Secret

MAX_PEM: Final = 4_000
MIN_RSA_BITS: Final = 2_048
MAX_RSA_BITS: Final = 8_192
EDDSA: Final = "EdDSA"
RS256: Final = "RS256"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """One active key, ready for use. Two are equal when they are the same row: a row's key never changes."""

    id: uuid.UUID
    label: str
    material: Any = field(repr=False, compare=False)

    def for_pyjwt(self) -> Any:
        """A secret as the bytes of its text, as it stands; a public key as the object that PyJWT made of it."""
        return self.material.reveal().encode() if isinstance(self.material, Secret) else self.material

    @property
    def tag(self) -> bytes:
        """Four bytes by which a visitor's token says which key vouched for the visitor."""
        return self.id.bytes[:4]


@dataclass(frozen=True, slots=True)
class IdentityRules:
    """Whether and how a tenant signs its visitors; `keys` are the active ones of its algorithm."""

    mode: str
    algorithm: str
    claims: tuple[str, ...] = ()
    keys: tuple[VerifyingKey, ...] = ()


class PublicKeyRefused(Exception):
    """What was pasted can't be used; the message says why and what to do, and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: the algorithm that it is for, its PEM without surrounding blanks, and PyJWT's object."""

    algorithm: str
    pem: str
    fingerprint: str
    material: Any = field(repr=False)


def read_public_key(text: str) -> PublicKey:
    """An Ed25519 key (for EdDSA) or an RSA key of 2,048 to 8,192 bits (for RS256). Raises PublicKeyRefused."""
    pem = "\n".join(line.strip() for line in text.strip().splitlines())
    if "PRIVATE KEY" in pem:
        raise PublicKeyRefused(
            "This is a private key, which nobody but your own server may have. It was not stored; make a new pair, and paste "
            "the public half."
        )
    if "CERTIFICATE" in pem:
        raise PublicKeyRefused("This is a certificate. Take the key out: openssl x509 -in cert.pem -pubkey -noout")
    if len(pem) > MAX_PEM or not pem.startswith(("-----BEGIN PUBLIC KEY-----", "-----BEGIN RSA PUBLIC KEY-----")):
        raise PublicKeyRefused("Paste the public key as PEM: it begins with “-----BEGIN PUBLIC KEY-----”.")
    for algorithm, read in ((EDDSA, _read_ed25519), (RS256, _read_rsa)):
        material = read(pem)
        if material is not None:
            return PublicKey(algorithm, pem, hashlib.sha256(pem.encode()).hexdigest()[:16], material)
    raise PublicKeyRefused("This is neither an Ed25519 nor an RSA key, or it is damaged. Other kinds are not taken.")


def _read_ed25519(pem: str) -> Any:
    try:
        key = OKPAlgorithm().prepare_key(pem)
        jwk = OKPAlgorithm.to_jwk(key, as_dict=True)
    except (InvalidKeyError, ValueError, TypeError, AttributeError):
        return None
    if jwk["crv"] != "Ed25519":
        raise PublicKeyRefused("This is a key for another curve. EdDSA means Ed25519 here.")
    return key


def _read_rsa(pem: str) -> Any:
    try:
        key = RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    except (InvalidKeyError, ValueError, TypeError, AttributeError):
        return None
    bits = int.from_bytes(base64url.decode(jwk["n"]), "big").bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise PublicKeyRefused(
            f"This RSA key has {bits} bits. Between {MIN_RSA_BITS:,} and {MAX_RSA_BITS:,} are taken."
        )
    return key
