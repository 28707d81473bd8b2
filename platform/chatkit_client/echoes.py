"""Does a text that came from outside repeat the key that was sent there?

A hostile or broken upstream may write the key into a header or an error code, which we would log as an identifier, or
into a session, which we would hand to a browser.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import Final

_WINDOW: Final = 12
# Looked at letter by letter up to here (identifiers); longer texts in blocks, which still finds every run of 23.
_SHORT: Final = 64


def repeats_key(text: str, key: str) -> bool:
    """Say whether 12 characters in a row of `text` occur in the key, plain, reversed, hexadecimal or base64."""
    if len(text) < _WINDOW:
        return False
    raw = key.encode()
    encoded = raw.hex()
    forms = (key, key[::-1], encoded, encoded.upper(), b64encode(raw).decode(), urlsafe_b64encode(raw).decode())
    haystack = "\n".join(forms)
    step = 1 if len(text) <= _SHORT else _WINDOW
    return any(text[start : start + _WINDOW] in haystack for start in range(0, len(text) - _WINDOW + 1, step))
