"""Who holds the master keys: the protocol, and the holder that has them in this process."""

from functools import cache
from typing import Any, NoReturn, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.signals import setting_changed

from encryption.aead import decrypt, encrypt
from encryption.ring import KeyRing, parse_keys


class KeyProvider(Protocol):
    """What the vault asks of a holder of master keys; a key-management service may stand behind it.

    `unwrap` raises ValueError for a box that this key did not wrap for this `aad`, KeyError for a key it does not hold.
    """

    def primary_id(self) -> str: ...

    def ids(self) -> tuple[str, ...]: ...

    def wrap(self, dek: bytes, aad: bytes, key_id: str) -> bytes: ...

    def unwrap(self, box: bytes, aad: bytes, key_id: str) -> bytes: ...


class LocalKeyring:
    """Master keys held in this process."""

    __slots__ = ("_ciphers", "_ring")

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ciphers = {key_id: AESGCM(ring.key(key_id)) for key_id in ring.ids}

    def primary_id(self) -> str:
        return self._ring.primary_id

    def ids(self) -> tuple[str, ...]:
        return self._ring.ids

    def wrap(self, dek: bytes, aad: bytes, key_id: str) -> bytes:
        return encrypt(self._ciphers[key_id], dek, aad)

    def unwrap(self, box: bytes, aad: bytes, key_id: str) -> bytes:
        return decrypt(self._ciphers[key_id], box, aad)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A keyring cannot be pickled or copied.")


@cache
def master_ring() -> KeyRing:
    """The ring in settings.MASTER_KEYS; raises ImproperlyConfigured when it is unusable."""
    return parse_keys(settings.MASTER_KEYS, purpose="MASTER_KEYS", secret_key=settings.SECRET_KEY)


@cache
def get_keyring() -> KeyProvider:
    """The holder of the master keys; raises ImproperlyConfigured when they are unusable."""
    return LocalKeyring(master_ring())


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting in {"MASTER_KEYS", "SECRET_KEY"}:
        master_ring.cache_clear()
        get_keyring.cache_clear()


# Only tests change settings; the ring they give must count at once.
setting_changed.connect(_forget, dispatch_uid="encryption.providers")
