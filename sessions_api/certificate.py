"""The certificate of a visitor's erasure: what was deleted when, and what could not be reached; signed by the site.

    {"algorithm": "Ed25519", "certificate": {…}, "public_key": base64url, "signature": base64url}

one line of canonical JSON (RFC 8785). The signature covers `ckp/erasure-certificate/v1`, a zero byte, and the canonical JSON of
`certificate`, so that it can be checked without this platform. It names the visitor by the SHA-256 of
its name at OpenAI, which leads to nothing in the ledger. `certificate` may hold more in later releases (`served_here`: what was
deleted of the chats that the platform itself served); one of an earlier release verifies as it stands.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from audit.record import canonical
from encryption.site_signature import is_signed_by, sign_as_site, site_public_key

FORMAT: Final = "ckp/erasure-certificate/v1"
PURPOSE: Final = "erasure-certificate"
_ENVELOPE: Final = {"algorithm", "certificate", "public_key", "signature"}


class CertificateInvalid(Exception):
    """The text is no certificate of this site; the message says why."""


def issue_certificate(facts: Mapping[str, Any]) -> str:
    """The signed text. `facts` are JSON without floats. Raises SecretError."""
    certificate = {"format": FORMAT, **facts}
    envelope = {
        "algorithm": "Ed25519",
        "certificate": certificate,
        "public_key": certificate_key(),
        "signature": sign_as_site(PURPOSE, _signed(certificate)),
    }
    return canonical(envelope).decode()


def verify_certificate(text: str, *, public_key: str) -> dict[str, Any]:
    """What it certifies, if the holder of `public_key` signed it; raises CertificateInvalid."""
    try:
        envelope = json.loads(text)
    except (ValueError, RecursionError):
        raise CertificateInvalid("This is no JSON: the file may have been cut off or saved by a program.") from None
    if not isinstance(envelope, dict) or set(envelope) != _ENVELOPE or not isinstance(envelope["certificate"], dict):
        raise CertificateInvalid("This is JSON, but no certificate of an erasure.")
    certificate: dict[str, Any] = envelope["certificate"]
    if envelope["algorithm"] != "Ed25519" or certificate.get("format") != FORMAT:
        raise CertificateInvalid("This is a certificate of another format, which this release does not know.")
    if envelope["public_key"] != public_key:
        raise CertificateInvalid("It is signed by another site, or its key was replaced.")
    try:
        message = _signed(certificate)
    except (ValueError, TypeError):
        raise CertificateInvalid("It was changed after it was signed.") from None
    if not is_signed_by(public_key, str(envelope["signature"]), message):
        raise CertificateInvalid("It was changed after it was signed.")
    return certificate


def certificate_key() -> str:
    """The public key of this site's certificates. Raises SecretError."""
    return site_public_key(PURPOSE)


def hash_of(text: str) -> str:
    """In hex. A certificate names a visitor by that of its `user` at OpenAI: who knows it can tell that it is meant."""
    return hashlib.sha256(text.encode()).hexdigest()


def _signed(certificate: Mapping[str, Any]) -> bytes:
    return FORMAT.encode() + b"\x00" + canonical(dict(certificate))
