"""AES-256-GCM with a random nonce: the one place that encrypts.

A box is nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes). Data keys are used for one message only and a master key for
far fewer than 2^32, so that random nonces never meet.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


def encrypt(cipher: AESGCM, plain: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, aad)


def decrypt(cipher: AESGCM, box: bytes, aad: bytes) -> bytes:
    """What `encrypt` put into this box under this key and `aad`; raises ValueError for anything else."""
    try:
        return cipher.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], aad)
    except InvalidTag:
        raise ValueError("The box was not made with this key for this place.") from None
