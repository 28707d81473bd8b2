"""Signs JWTs by hand, so that a test can make any token, and none depends on the library that is being tested."""

import base64
import hmac
import json
import secrets
import uuid
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from encryption.secret import Secret
from tenants.verifying_keys import VerifyingKey, read_public_key


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: Any) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


@dataclass(frozen=True)
class Signer:
    """Whoever holds a private key or a secret. `pem` is empty for a secret."""

    algorithm: str
    secret: str = field(default="", repr=False)
    private: Any = field(default=None, repr=False)

    def signature(self, text: str) -> bytes:
        if self.algorithm == "HS256":
            return hmac.digest(self.secret.encode(), text.encode(), "sha256")
        if self.algorithm == "RS256":
            return self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return self.private.sign(text.encode())

    @property
    def pem(self) -> str:
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def key(self) -> VerifyingKey:
        material = Secret(self.secret) if self.algorithm == "HS256" else read_public_key(self.pem).material
        return VerifyingKey(uuid.uuid4(), "website", material)

    def token(self, payload: Any, header: Any = None) -> str:
        """Header and payload as JSON; bytes as they stand."""
        text = f"{part({'alg': self.algorithm, 'typ': 'JWT'} if header is None else header)}.{part(payload)}"
        return f"{text}.{b64(self.signature(text))}"


def a_secret() -> Signer:
    return Signer("HS256", secret=secrets.token_urlsafe(32))


def an_ed25519_key() -> Signer:
    return Signer("EdDSA", private=ed25519.Ed25519PrivateKey.generate())


def an_rsa_key(bits: int = 2048) -> Signer:
    return Signer("RS256", private=rsa.generate_private_key(public_exponent=65537, key_size=bits))


@cache
def rsa_pair() -> tuple[Signer, Signer]:
    """Two RSA keys for the whole run: making one takes a while."""
    return an_rsa_key(), an_rsa_key()


def two_signers(algorithm: str) -> tuple[Signer, Signer]:
    if algorithm == "RS256":
        return rsa_pair()
    make = a_secret if algorithm == "HS256" else an_ed25519_key
    return make(), make()


def claims(public_id: str, now: int, **changes: Any) -> dict[str, Any]:
    """What a good token says; `None` takes a claim out."""
    good = {"aud": public_id, "sub": "user-42", "jti": secrets.token_hex(8), "iat": now, "exp": now + 300}
    return {name: value for name, value in (good | changes).items() if value is not None}
