"""What lies in the spool, for those who watch: counted from its files, whichever processes they belong to."""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sessions_api.spool import BAD, SUFFIX, bytes_in


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """`lines` wait, one for each request; `bad` were set aside; `bytes` are those of the whole directory."""

    lines: int
    bad: int
    bytes: int

    @property
    def is_empty(self) -> bool:
        return not self.lines and not self.bad


def spool_status(directory: Path) -> SpoolStatus:
    return SpoolStatus(_lines(directory, SUFFIX), _lines(directory, BAD), bytes_in(directory))


def _lines(directory: Path, suffix: str) -> int:
    lines = 0
    for path in directory.glob(f"*{suffix}"):
        # It may be written, and gone, at any moment.
        with suppress(OSError):
            lines += _count(path, path.stat().st_size)
    return lines


@lru_cache(maxsize=1024)
def _count(path: Path, size: int) -> int:
    """Once for each size: files only grow."""
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))
