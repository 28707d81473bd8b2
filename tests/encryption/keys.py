"""Rings for tests: keys made from words at run time, so that nothing here looks like a live one."""

import base64
import hashlib


def key(word: str) -> str:
    return base64.b64encode(raw_key(word)).decode()


def raw_key(word: str) -> bytes:
    return hashlib.sha256(f"a key for tests: {word}".encode()).digest()


def ring(*words: str) -> str:
    """A ring in which each word is an id and makes its key."""
    return ",".join(f"{word}:{key(word)}" for word in words)
