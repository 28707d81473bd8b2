"""The spool: append-only files that hold session rows while the database is away.

    SPOOL_DIR/                                  0700
        <nanoseconds>-<pid>-<random>.spool      0600, lines of one process, oldest first by name
        <the same>.bad                          lines that are not ours, or that the database refuses: somebody must look
        <the same>.torn                         a last line that a crash cut off; nobody was answered for it

A process holds an exclusive `flock` on each of its files. Where that lock is free the process is dead, and whoever takes
it may write the file's rows. A file is made under another name, locked, then renamed, so that nobody takes a new one.
"""

import fcntl
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SUFFIX: Final = ".spool"
BAD: Final = ".bad"
TORN: Final = ".torn"
# Written files make room in pieces of this size.
SEGMENT_BYTES: Final = 4 * 1024 * 1024
_SCAN_SECONDS: Final = 1.0
# For rows of sessions that are being minted when the room runs out: kept free, where the cap allows so much.
_HEADROOM_BYTES: Final = 1024 * 1024


class SpoolRefuses(Exception):
    """The lines are not in the spool: it is full, or its directory can't be used."""


@dataclass(slots=True)
class SpoolFile:
    """One file that this process holds: `size` is known to be on the disk, `done` is in the database, both in bytes."""

    path: Path
    descriptor: int
    size: int
    done: int = 0
    bad: list[bytes] = field(default_factory=list)
    torn: bytes = b""


class Spool:
    """The files of one process and those of dead ones. Appending and taking away run in two different threads."""

    def __init__(self, directory: Path, *, max_bytes: int, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._lock = threading.Lock()
        self._active: SpoolFile | None = None
        self._held: dict[Path, SpoolFile] = {}
        self._used = 0
        self._used_at = float("-inf")
        self.problem = prepare(directory)

    def accepts(self, *, share: float = 1.0) -> bool:
        """Whether there is room for what is begun now, within this share of the cap."""
        headroom = min(_HEADROOM_BYTES, self._max_bytes // 8)
        return not self.problem and self._bytes_used() + headroom <= self._max_bytes * share

    def state(self, *, is_used: bool) -> str:
        """For people: what is the matter with it, or what is in it."""
        if self.problem:
            return self.problem
        if not self.accepts():
            return "full"
        set_aside = len(list(self._directory.glob(f"*{BAD}")))
        waiting = sum(path.stat().st_size for path in waiting_files(self._directory))
        words = [
            *(["in use"] if is_used else []),
            *([f"{waiting} bytes waiting"] if waiting else []),
            *([f"{set_aside} files set aside"] if set_aside else []),
        ]
        return ", ".join(words) or "empty"

    def append(self, lines: Sequence[bytes]) -> None:
        """Returns when the lines are on the disk, all of them; raises SpoolRefuses when none of them is."""
        data = b"".join(lines)
        with self._lock:
            if self.problem or self._bytes_used() + len(data) > self._max_bytes:
                raise SpoolRefuses(self.problem or "full")
            try:
                file = self._active or self._begin()
                self._extend(file, data)
            except OSError as error:
                raise SpoolRefuses(type(error).__name__) from error
            self._used += len(data)
            if file.size >= self._segment_bytes:
                self._active = None

    def oldest(self) -> SpoolFile | None:
        """The oldest file that nobody else holds, now held by this process; None when nothing waits."""
        for path in waiting_files(self._directory):
            with self._lock:
                file = self._held.get(path) or self._take(path)
            if file is not None:
                return file
        return None

    def read(self, file: SpoolFile, *, lines: int) -> Iterator[list[tuple[int, bytes]]]:
        """Groups of whole lines that are not done, each with the place after it; what is appended meanwhile comes too."""
        place = file.done
        rest = b""
        group: list[tuple[int, bytes]] = []
        while data := os.pread(file.descriptor, min(65536, max(0, file.size - place - len(rest))), place + len(rest)):
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                place += len(line) + 1
                group.append((place, line + b"\n"))
                if len(group) >= lines:
                    yield group
                    group = []
        if group:
            yield group
        file.torn = rest

    def retire(self, file: SpoolFile) -> bool:
        """Remove a file whose rows are committed; False when more has been appended meanwhile."""
        with self._lock:
            if file.size != file.done + len(file.torn):
                return False
            if file is self._active:
                self._active = None
            for suffix, content in ((BAD, b"".join(file.bad)), (TORN, file.torn)):
                if content:
                    self._set_aside(file.path.with_suffix(suffix), content)
            file.path.unlink(missing_ok=True)
            self._let_go(file)
            self._used_at = float("-inf")
            return True

    def close(self) -> None:
        """Let go of every file; what is in them is taken up by another process, or by the next one."""
        with self._lock:
            self._active = None
            for file in list(self._held.values()):
                self._let_go(file)

    def _begin(self) -> SpoolFile:
        name = f"{time.time_ns()}-{os.getpid()}-{secrets.token_hex(4)}"
        new = self._directory / f"{name}.new"
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path = new.with_suffix(SUFFIX)
            new.rename(path)
            self._sync_directory()
        except BaseException:
            os.close(descriptor)
            raise
        file = self._held[path] = self._active = SpoolFile(path, descriptor, 0)
        return file

    def _extend(self, file: SpoolFile, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(file.descriptor, rest) :]
            os.fsync(file.descriptor)
        except BaseException:
            # Half a line must not stand before whole ones, and what nobody was answered for must not be written later.
            self._active = None
            with suppress(OSError):
                os.ftruncate(file.descriptor, file.size)
                os.fsync(file.descriptor)
            raise
        file.size += len(data)

    def _take(self, path: Path) -> SpoolFile | None:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have written and removed it between the listing and the lock.
            mine, there = os.fstat(descriptor), path.stat()
            if (mine.st_ino, mine.st_dev) != (there.st_ino, there.st_dev):
                raise FileNotFoundError
        except OSError:
            os.close(descriptor)
            return None
        file = self._held[path] = SpoolFile(path, descriptor, mine.st_size)
        return file

    def _let_go(self, file: SpoolFile) -> None:
        self._held.pop(file.path, None)
        os.close(file.descriptor)

    def _set_aside(self, path: Path, content: bytes) -> None:
        # Whole and anew: whoever died between this and the removal of the file does the same once more.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as aside:
            aside.write(content)
            aside.flush()
            os.fsync(aside.fileno())

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _bytes_used(self) -> int:
        """Of the whole directory, other processes' files as well, looked at once a second."""
        now = time.monotonic()
        if now - self._used_at > _SCAN_SECONDS:
            self._used, self._used_at = bytes_in(self._directory), now
        return self._used


def prepare(directory: Path) -> str:
    """Make the directory; why it can't be used, or nothing."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.stat()
    except OSError as error:
        return f"SPOOL_DIR can't be made ({type(error).__name__})"
    if found.st_uid != os.geteuid():
        return "SPOOL_DIR belongs to another user"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return "SPOOL_DIR is open to other users"
    if not os.access(directory, os.W_OK | os.X_OK):
        return "SPOOL_DIR can't be written to"
    return ""


def waiting_files(directory: Path) -> list[Path]:
    """Oldest first; empty where there is no directory."""
    return sorted(directory.glob(f"*{SUFFIX}"))


def bytes_in(directory: Path) -> int:
    used = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                used += entry.stat(follow_symlinks=False).st_size
    return used
