"""Base64url without padding, of which exactly one spelling is accepted for each value."""

import base64
import binascii


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes that `encode` turns into exactly this text; raises ValueError for any other text.

    Python's decoder skips foreign characters and ignores the unused bits of the last one, so that many texts would
    give the same bytes. Encoding again and comparing refuses them all.
    """
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        raw = None
    if raw is None or encode(raw) != text:
        raise ValueError("This is not canonical base64url.")
    return raw
