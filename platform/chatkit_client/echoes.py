"""Does a text that came from outside repeat the key that was sent there?

A hostile or broken upstream may write the key into a header or an error code, which we would log as an identifier, or
into a session, which we would hand to a browser.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import Final

_WINDOW: Final = 12
# Identifiers, which are logged, are looked at letter by letter; longer texts in blocks, which finds every run of 23.
_SHORT: Final = 64


def repeats_key(text: str, key: str) -> bool:
    """Say whether `text` holds 12 characters in a row of the key, forwards or backwards, or a longer piece encoded.

    A longer text, and the key in hexadecimal or base64, is found from 23 characters in a row on: this runs three times
    for each session.
    """
    if len(text) < _WINDOW:
        return False
    if _shares(text, f"{key}\n{key[::-1]}", 1 if len(text) <= _SHORT else _WINDOW):
        return True
    raw = key.encode()
    digits = raw.hex()
    encoded = f"{digits}\n{digits.upper()}\n{b64encode(raw).decode()}\n{urlsafe_b64encode(raw).decode()}"
    return _shares(text, encoded, _WINDOW)


def _shares(text: str, haystack: str, step: int) -> bool:
    for start in range(0, len(text) - _WINDOW + 1, step):  # noqa: SIM110 - any() takes twice as long
        if text[start : start + _WINDOW] in haystack:
            return True
    return False
