"""Rings of keys that the operator gives: how the text of one is read, and what is refused.

A ring is one text, `id:base64,id2:base64`: the first key is used for everything new, every key for what is already
there. So a key is rotated by adding it, moving it to the front, and removing the old one when nothing uses it.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Final, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

KEY_BYTES: Final = 32
# 32 random bytes hold about 30 different values; fewer than 20 happens by accident less than once in a billion rings.
LEAST_DISTINCT_BYTES: Final = 20

_KEY_ID = re.compile(r"[a-z0-9-]{1,32}")
_MAKE_ONE = "Make a key with `openssl rand -base64 32` and write it as `id:key`."


class KeyRing:
    """Keys by id in the operator's order; the first one is primary. Never prints or pickles its keys."""

    __slots__ = ("_keys", "ids", "primary_id")

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = MappingProxyType(dict(keys))
        self.ids: tuple[str, ...] = tuple(keys)
        self.primary_id: str = self.ids[0]

    def key(self, key_id: str) -> bytes:
        """The 32 bytes of this key; raises KeyError for an id that is not in the ring."""
        return self._keys[key_id]

    def shares_a_key_with(self, other: "KeyRing") -> bool:
        return not set(self._keys.values()).isdisjoint(other._keys.values())

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.ids)})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A KeyRing cannot be pickled or copied.")


@sensitive_variables()
def parse_keys(text: str, *, purpose: str, secret_key: str = "") -> KeyRing:
    """Read a ring from `id:base64,id2:base64`; `purpose` is the name of the setting that holds it.

    Raises ImproperlyConfigured with a sentence that names the entry by its place and the cure. Nothing of the text
    itself is ever repeated: an operator who swaps key and id would otherwise read the key in a log.
    """
    entries = [entry.strip() for entry in text.split(",")] if text.strip() else []
    if not entries:
        raise ImproperlyConfigured(f"{purpose} is not set. {_MAKE_ONE}")
    keys: dict[str, bytes] = {}
    for place, entry in enumerate(entries, start=1):
        where = f"{purpose}, entry {place}"
        key_id, colon, encoded = entry.partition(":")
        if not colon:
            raise ImproperlyConfigured(f"{where}: the id is missing. {_MAKE_ONE}")
        if not _KEY_ID.fullmatch(key_id):
            raise ImproperlyConfigured(
                f"{where}: the id before the colon must be 1 to 32 characters of a-z, 0-9 and '-', such as 2026-a."
            )
        if key_id in keys:
            raise ImproperlyConfigured(f"{where}: its id is used twice. Give every key an id of its own.")
        key = _decode_key(encoded, where=where)
        if key in keys.values():
            raise ImproperlyConfigured(f"{where}: the same key stands there twice. Remove the second one.")
        if _plain_base64(encoded) == _plain_base64(secret_key):
            raise ImproperlyConfigured(f"{where}: this is the SECRET_KEY. {_MAKE_ONE}")
        keys[key_id] = key
    return KeyRing(keys)


@sensitive_variables()
def _decode_key(encoded: str, *, where: str) -> bytes:
    """The 32 bytes of one key, given in either base64 alphabet, with or without padding."""
    standard = _plain_base64(encoded)
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = None
    if key is None:
        raise ImproperlyConfigured(f"{where}: the key is not base64. {_MAKE_ONE}")
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{where}: the key has {len(key)} bytes, {KEY_BYTES} are needed. {_MAKE_ONE}")
    if _is_weak(key):
        raise ImproperlyConfigured(f"{where}: the key is an example or typed text, not random. {_MAKE_ONE}")
    return key


def _is_weak(key: bytes) -> bool:
    """Whether no random generator made this key: repeated bytes, a counter, or text that somebody typed."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    is_typed = all(0x20 <= byte < 0x7F for byte in key)
    return len(set(key)) < LEAST_DISTINCT_BYTES or len(steps) == 1 or is_typed


def _plain_base64(text: str) -> str:
    """The text in the standard alphabet, without padding."""
    return text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
