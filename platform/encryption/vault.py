"""Sealing secrets for the database, each bound to its place, so that a token opens nowhere else.

A token is text: `ckp1.<master key id>.<wrapped data key>.<sealed secret>`, both boxes in unpadded base64url (the
layout of a box is in `aead`). Every secret has a fresh 256-bit data key, which the master key wraps.

Associated data, each field with its length in four bytes before it:
    sealed secret      format "ckp/secret/v1", owner, purpose, row
    wrapped data key   the same, and the master key id
Only the wrapping names the master key, so that rotating master keys touches the wrapping alone.
"""

import os
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption import base64url
from encryption.aead import NONCE_BYTES, TAG_BYTES, decrypt, encrypt
from encryption.providers import get_keyring
from encryption.secret import Secret

VERSION: Final = "ckp1"
FORMAT: Final = b"ckp/secret/v1"
DATA_KEY_BYTES: Final = 32
MAX_SECRET_BYTES: Final = 4096
MAX_TOKEN_LENGTH: Final = 8192
_WRAPPED_BYTES: Final = NONCE_BYTES + DATA_KEY_BYTES + TAG_BYTES
_KEY_ID = re.compile(r"[a-z0-9-]{1,32}")
_PURPOSE = re.compile(r"[a-z0-9:._-]{1,64}")


class SecretError(Exception):
    """A stored secret could not be opened; the message is the same whatever the cause."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret could not be opened: its row was altered, or its master key is not in MASTER_KEYS. "
            "`manage.py check --database default` names the columns whose key is missing."
        )


@dataclass(frozen=True, slots=True)
class Binding:
    """The one place where a sealed secret may be opened: whose it is, what for, and in which row."""

    owner: UUID
    purpose: str
    row: UUID

    def __post_init__(self) -> None:
        if not _PURPOSE.fullmatch(self.purpose):
            raise ValueError("A purpose is 1 to 64 characters of a-z, 0-9 and ':._-', such as 'api-key'.")

    def aad(self) -> bytes:
        return _fields(FORMAT, self.owner.bytes, self.purpose.encode(), self.row.bytes)

    def wrapping_aad(self, key_id: str) -> bytes:
        return self.aad() + _fields(key_id.encode())


def _fields(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(4, "big") + value for value in values)


def seal(plain: str | Secret, binding: Binding) -> str:
    """Seal a secret of at most 4,096 bytes for this binding; raises ValueError when it is blank or longer."""
    # Error reports show the variables of each frame, so none here holds the secret in clear.
    plain = plain if isinstance(plain, Secret) else Secret(plain)
    if len(plain.reveal().encode()) > MAX_SECRET_BYTES:
        raise ValueError(f"A secret may have at most {MAX_SECRET_BYTES} bytes.")
    keyring = get_keyring()
    key_id = keyring.primary_id()
    data_key = os.urandom(DATA_KEY_BYTES)
    wrapped = keyring.wrap(data_key, binding.wrapping_aad(key_id), key_id)
    sealed = encrypt(AESGCM(data_key), plain.reveal().encode(), binding.aad())
    return _join(key_id, wrapped, sealed)


def open_token(token: str, binding: Binding) -> Secret:
    """The secret that was sealed for this binding; raises SecretError for any other token, whatever is wrong."""
    keyring = get_keyring()
    try:
        key_id, wrapped, sealed = _split(token)
        cipher = AESGCM(keyring.unwrap(wrapped, binding.wrapping_aad(key_id), key_id))
        return Secret(decrypt(cipher, sealed, binding.aad()).decode())
    except (ValueError, KeyError):
        raise SecretError from None


def rewrap(token: str, binding: Binding) -> str:
    """The token under the primary master key, unchanged when it is there already; raises SecretError.

    The sealed secret is carried over as it stands: neither its data key nor its ciphertext changes.
    """
    keyring = get_keyring()
    primary_id = keyring.primary_id()
    try:
        key_id, wrapped, sealed = _split(token)
        new_aad, old_aad = binding.wrapping_aad(primary_id), binding.wrapping_aad(key_id)
        rewrapped = keyring.wrap(keyring.unwrap(wrapped, old_aad, key_id), new_aad, primary_id)
    except (ValueError, KeyError):
        raise SecretError from None
    return token if key_id == primary_id else _join(primary_id, rewrapped, sealed)


def token_prefix(key_id: str) -> str:
    """How every token wrapped by this master key begins, for counting them in the database."""
    return f"{VERSION}.{key_id}."


def key_id_of(token: str) -> str:
    """The id of the master key that wrapped this token, or "" for what is no token. The head of a token will do."""
    version, _, rest = token.partition(".")
    key_id, dot, _ = rest.partition(".")
    return key_id if version == VERSION and dot and _KEY_ID.fullmatch(key_id) else ""


def _join(key_id: str, wrapped: bytes, sealed: bytes) -> str:
    return f"{token_prefix(key_id)}{base64url.encode(wrapped)}.{base64url.encode(sealed)}"


def _split(token: str) -> tuple[str, bytes, bytes]:
    """Key id and the two boxes of a token; raises ValueError."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise ValueError("The token is too long.")
    version, key_id, wrapped_text, sealed_text = token.split(".")
    wrapped = base64url.decode(wrapped_text)
    if version != VERSION or len(wrapped) != _WRAPPED_BYTES:
        raise ValueError("This is no token of this version.")
    return key_id, wrapped, base64url.decode(sealed_text)
