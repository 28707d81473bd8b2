"""Public ids of tenants: they show whether we made them, without any look-up.

`tn_` + 22 base62 characters (128 random bits) + 6 base62 characters of HMAC-SHA256 over the 22 under a site key that is
never rotated. The tail refuses made-up ids before any I/O; it never authorises anything.
"""

import hmac
import re
import secrets
from typing import Final

from encryption.keyed_hash import keyed_hash
from encryption.secret import Secret

PREFIX: Final = "tn_"
BODY_LENGTH: Final = 22
TAIL_LENGTH: Final = 6
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DOMAIN: Final = b"ckp/public-id/v1\x00"
_SHAPE = re.compile(r"tn_[0-9A-Za-z]{28}")


def mint(key: Secret) -> str:
    body = _base62(secrets.randbits(128), BODY_LENGTH)
    return PREFIX + body + _tail(body, key)


def is_genuine(public_id: str, key: Secret) -> bool:
    """Whether `mint` made this id under this key; constant-time in the tail, no I/O."""
    if not _SHAPE.fullmatch(public_id):
        return False
    body, tail = public_id[len(PREFIX) : -TAIL_LENGTH], public_id[-TAIL_LENGTH:]
    return hmac.compare_digest(_tail(body, key), tail)


def _tail(body: str, key: Secret) -> str:
    mac = keyed_hash(key.reveal().encode(), _DOMAIN + body.encode())
    return _base62(int.from_bytes(mac[:16], "big") % 62**TAIL_LENGTH, TAIL_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
