"""How a file lies in storage: encrypted piece by piece, so that no process holds a whole one and none lies there in clear.

    "CKPF1\\n", then for each piece its length (4 bytes, big-endian) and its box (encryption/content.py)

A piece has 256 KiB of the file, the last one as much as is left. Its name, to which its box is bound, is
`file/<number>/more` or `file/<number>/last`: pieces that are left out, swapped or cut off do not open.
"""

from collections.abc import Iterator
from typing import IO, Final

from encryption.content import ContentKey
from encryption.vault import SecretError

PIECE: Final = 256 * 1024
_MAGIC: Final = b"CKPF1\n"
_LENGTH: Final = 4
# What a box adds to a piece is far less.
_LONGEST: Final = PIECE + 1024


class SealingFile:
    """Takes a file in clear in pieces of any length, and writes it sealed."""

    def __init__(self, out: IO[bytes], key: ContentKey) -> None:
        self._out = out
        self._key = key
        self._number = 0
        self._waiting = bytearray()
        self._out.write(_MAGIC)

    def write(self, data: bytes) -> None:
        self._waiting += data
        # The last piece is known by nothing following it, so one full piece always waits.
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), "more")
            del self._waiting[:PIECE]

    def finish(self) -> None:
        self._seal(bytes(self._waiting), "last")

    def _seal(self, piece: bytes, place: str) -> None:
        box = self._key.seal(piece, f"file/{self._number}/{place}")
        self._out.write(len(box).to_bytes(_LENGTH, "big") + box)
        self._number += 1


def open_pieces(source: IO[bytes], key: ContentKey) -> Iterator[bytes]:
    """The file in clear, piece by piece; raises SecretError where it is not whole or not under this key."""
    if source.read(len(_MAGIC)) != _MAGIC:
        raise SecretError
    box, number = _next_box(source), 0
    if box is None:
        raise SecretError
    while (following := _next_box(source)) is not None:
        yield key.open(box, f"file/{number}/more")
        box, number = following, number + 1
    yield key.open(box, f"file/{number}/last")


def _next_box(source: IO[bytes]) -> bytes | None:
    head = source.read(_LENGTH)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) != _LENGTH or length > _LONGEST:
        raise SecretError
    box = source.read(length)
    if len(box) != length:
        raise SecretError
    return box
