"""Which base URLs may be called at all: https, or http to this very machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def checked_base_url(text: str) -> str:
    """Give the base URL without a trailing slash, or refuse it with the cure; the entry itself is the operator's."""
    parts = urlsplit(text)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"OPENAI_BASE_URLS: {text!r} is no URL. Write it like https://api.openai.com/v1.")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("OPENAI_BASE_URLS: an entry holds a user, password, query or fragment. Leave it out.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(
            f"OPENAI_BASE_URLS: {text!r} would send keys unencrypted. Use https; http is for this machine only."
        )
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
