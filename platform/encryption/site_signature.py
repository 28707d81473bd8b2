"""The site's own signature under what it hands out for others to check: Ed25519, the private key made of a site secret.

The secret is made by the platform, kept sealed in the vault and never rotated, so that a signature can be checked for as long
as somebody keeps it. Public keys and signatures are raw bytes in unpadded base64url.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from encryption import base64url
from encryption.models import site_secret

SECRET_NAME: Final = "signature"


def site_public_key(purpose: str) -> str:
    """What others check this purpose's signatures with. Raises SecretError."""
    return base64url.encode(_private_key(purpose).public_key().public_bytes_raw())


def sign_as_site(purpose: str, message: bytes) -> str:
    """The signature; each purpose has a key of its own, so that nothing signed for one passes for another. Raises SecretError."""
    return base64url.encode(_private_key(purpose).sign(message))


def is_signed_by(public_key: str, signature: str, message: bytes) -> bool:
    """Whether the holder of this key has signed exactly this; False as well for anything malformed."""
    try:
        Ed25519PublicKey.from_public_bytes(base64url.decode(public_key)).verify(base64url.decode(signature), message)
    except (ValueError, InvalidSignature):
        return False
    return True


def _private_key(purpose: str) -> Ed25519PrivateKey:
    info = b"ckp/site-signature/v1/" + purpose.encode()
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(site_secret(SECRET_NAME).reveal().encode())
    return Ed25519PrivateKey.from_private_bytes(seed)
