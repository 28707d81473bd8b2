"""Signing keys, one for each kind of token: HKDF-SHA256 of a key in SIGNING_KEYS under the label of that kind.

Two kinds never share a key, so that a token of one kind can never pass as one of another.
"""

import re
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.signals import setting_changed

from encryption.ring import KeyRing, parse_keys

_LABEL = re.compile(r"[a-z][a-z0-9-]{0,39}")


@cache
def signing_ring() -> KeyRing:
    """The ring in settings.SIGNING_KEYS; raises ImproperlyConfigured when it is unusable."""
    return parse_keys(settings.SIGNING_KEYS, purpose="SIGNING_KEYS", secret_key=settings.SECRET_KEY)


def signing_ids() -> tuple[str, ...]:
    return signing_ring().ids


def primary_signing_id() -> str:
    return signing_ring().primary_id


def signing_key(label: str, key_id: str) -> bytes:
    """The 32 bytes that sign this kind of token; raises KeyError for a key id that is not in the ring."""
    # Ids are looked up before anything is kept: made-up ones in forged tokens must not fill the memory.
    signing_ring().key(key_id)
    return _derived(label, key_id)


@cache
def _derived(label: str, key_id: str) -> bytes:
    if not _LABEL.fullmatch(label):
        raise ValueError("A label is 1 to 40 characters of a-z, 0-9 and '-', such as 'visitor-token'.")
    info = b"ckp/signing/v1/" + label.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(signing_ring().key(key_id))


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"SIGNING_KEYS", "SECRET_KEY"}:
        signing_ring.cache_clear()
        _derived.cache_clear()


# Only tests change settings; the ring they give must count at once.
setting_changed.connect(_forget, dispatch_uid="encryption.derive")
