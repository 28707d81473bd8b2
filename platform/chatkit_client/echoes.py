"""Does a text that came from outside repeat the key that was sent there?

A hostile or broken upstream may write the key into a header or an error code, which we would log as an identifier.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import Final

_WINDOW: Final = 12


def repeats_key(text: str, key: str) -> bool:
    """Say whether 12 characters in a row of `text` occur in the key, plain, reversed, hexadecimal or base64."""
    if len(text) < _WINDOW:
        return False
    raw = key.encode()
    encoded = raw.hex()
    forms = (key, key[::-1], encoded, encoded.upper(), b64encode(raw).decode(), urlsafe_b64encode(raw).decode())
    haystack = "\n".join(forms)
    return any(text[start : start + _WINDOW] in haystack for start in range(len(text) - _WINDOW + 1))
