"""Encrypting content that is too much for the vault: one data key for many pieces, and the vault seals that key.

A piece is AES-256-GCM with a random nonce (aead.py), its associated data "ckp/content/v1", the place and the name of the piece,
so that none opens in another's stead. Rotating master keys touches the sealed key alone; destroying it destroys all its pieces.
Random nonces are safe for far more pieces than a conversation has (2^32 under one key).
"""

import base64
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.aead import decrypt, encrypt
from encryption.secret import Secret
from encryption.vault import Binding, SecretError, open_token, seal

FORMAT: Final = b"ckp/content/v1"
KEY_BYTES: Final = 32


class ContentKey:
    """A data key in use; printed, it shows nothing."""

    __slots__ = ("_cipher", "_place")

    def __init__(self, key: bytes, binding: Binding) -> None:
        self._cipher = AESGCM(key)
        self._place = binding.aad()

    def __repr__(self) -> str:
        return "ContentKey(…)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("A content key is not copied, pickled or stored.")

    def seal(self, plain: bytes, name: str) -> bytes:
        """The box of a piece; `name` says which piece of the place it is."""
        return encrypt(self._cipher, plain, self._aad(name))

    def open(self, box: bytes | memoryview, name: str) -> bytes:
        """The piece that was sealed under this name; raises SecretError for anything else."""
        try:
            return decrypt(self._cipher, bytes(box), self._aad(name))
        except ValueError:
            raise SecretError from None

    def _aad(self, name: str) -> bytes:
        text = name.encode()
        return FORMAT + len(self._place).to_bytes(4, "big") + self._place + text


def new_content_key(binding: Binding) -> tuple[str, ContentKey]:
    """A fresh key: its token for the database, and the key itself."""
    key = os.urandom(KEY_BYTES)
    return seal(Secret(base64.b64encode(key).decode()), binding), ContentKey(key, binding)


def open_content_key(token: str, binding: Binding) -> ContentKey:
    """The key of a token; raises SecretError."""
    return ContentKey(base64.b64decode(open_token(token, binding).reveal()), binding)
