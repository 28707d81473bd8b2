"""Random ids for requests and rows, without a system call for each.

`os.urandom`, and so `uuid.uuid4`, gives up the interpreter lock, which costs far more than the ids where threads compete
for it. Here it is asked for many ids at once. For ids alone: what must stay secret is drawn by `secrets`.
"""

import os
import uuid
from typing import Final

_ID_BYTES: Final = 16
_DRAWN_AT_ONCE: Final = 256


class _Pool:
    """Belongs to one process: one that was forked must not hand out the same ids as its parent."""

    def __init__(self) -> None:
        self._ids: list[bytes] = []

    def take(self) -> bytes:
        # Both threads of a process may find it empty and fill it; no id is taken twice, since `pop` is atomic.
        while True:
            try:
                return self._ids.pop()
            except IndexError:
                drawn = os.urandom(_ID_BYTES * _DRAWN_AT_ONCE)
                self._ids += [drawn[start : start + _ID_BYTES] for start in range(0, len(drawn), _ID_BYTES)]

    def empty(self) -> None:
        self._ids = []


_pool = _Pool()
os.register_at_fork(after_in_child=_pool.empty)


def fresh_hex() -> str:
    """32 hex characters, 128 random bits."""
    return _pool.take().hex()


def fresh_uuid() -> uuid.UUID:
    """A random UUID (version 4)."""
    return uuid.UUID(bytes=_pool.take(), version=4)
