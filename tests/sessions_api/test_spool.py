"""The spool's files: on the disk before the answer, taken up after a crash, whole lines only, and never beyond the cap."""

import os
import stat
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sessions_api.spool import Spool, SpoolRefuses, bytes_in, waiting_files
from tests.proof import size

ROOMY = 1_000_000


def crash(spool: Spool) -> None:
    """As the kernel does it: descriptors are closed, and with them the locks; nothing else happens."""
    for file in spool._held.values():
        os.close(file.descriptor)
    spool._held.clear()
    spool._active = None


def drain(spool: Spool, *, group: int = 3) -> list[bytes]:
    """What a replay reads, in its order, with each file removed once it is read."""
    found: list[bytes] = []
    while (file := spool.oldest()) is not None:
        for lines in spool.read(file, lines=group):
            found += [line for _, line in lines]
            file.done = lines[-1][0]
        spool.retire(file)
    return found


def test_lines_come_back_in_order_and_the_file_is_gone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)
    lines = [b"line %d\n" % number for number in range(10)]
    spool.append(lines[:4])
    spool.append(lines[4:])

    assert drain(spool) == lines
    assert waiting_files(tmp_path / "spool") == []


def test_nobody_else_may_look_into_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)
    spool.append([b"x\n"])

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spool", *waiting_files(tmp_path / "spool"))]

    assert modes == [0o700, 0o600]


def test_a_directory_that_others_can_open_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)

    with pytest.raises(SpoolRefuses, match="open to other users"):
        spool.append([b"x\n"])
    assert not spool.accepts()


def test_a_living_process_s_file_is_left_to_it_and_a_dead_one_s_is_taken(tmp_path: Path) -> None:
    first, second = (Spool(tmp_path / "spool", max_bytes=ROOMY) for _ in range(2))
    first.append([b"x\n"])

    assert second.oldest() is None
    crash(first)
    assert drain(second) == [b"x\n"]


def test_it_takes_no_more_than_the_cap_and_all_of_a_group_or_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=100)
    spool.append([b"a" * 59 + b"\n"])

    with pytest.raises(SpoolRefuses):
        spool.append([b"b" * 19 + b"\n"] * 3)

    assert not spool.accepts(share=0.5)
    assert spool.accepts()
    assert drain(spool) == [b"a" * 59 + b"\n"]


def test_the_cap_is_for_all_processes_together(tmp_path: Path) -> None:
    Spool(tmp_path / "spool", max_bytes=100).append([b"a" * 99 + b"\n"])
    second = Spool(tmp_path / "spool", max_bytes=100)

    assert not second.accepts()
    with pytest.raises(SpoolRefuses):
        second.append([b"b\n"])


def test_what_a_full_disk_took_half_of_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that ends early and then fails, as one does on a full disk."""
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)
    spool.append([b"first\n"])
    write = os.write
    calls = Counter[str]()

    def fills_up(descriptor: int, data: bytes) -> int:
        calls["write"] += 1
        if calls["write"] == 1:
            return write(descriptor, bytes(data)[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fills_up)
    with pytest.raises(SpoolRefuses, match="OSError"):
        spool.append([b"second\n"])
    monkeypatch.undo()
    spool.append([b"third\n"])

    assert drain(spool) == [b"first\n", b"third\n"]


def test_a_file_that_grew_meanwhile_is_not_removed(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)
    spool.append([b"a\n"])
    file = spool.oldest()
    assert file is not None
    for group in spool.read(file, lines=10):
        file.done = group[-1][0]
    spool.append([b"b\n"])

    assert not spool.retire(file)
    assert drain(spool) == [b"b\n"]


def test_a_file_is_made_anew_when_it_has_grown_to_its_size(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY, segment_bytes=10)
    lines = [b"%09d\n" % number for number in range(4)]
    for line in lines:
        spool.append([line])

    assert len(waiting_files(tmp_path / "spool")) == 4
    assert drain(spool) == lines


@pytest.mark.proof("I2")
def test_cut_off_at_every_byte_the_whole_lines_come_back_and_the_rest_is_set_aside(tmp_path: Path) -> None:
    lines = [b"line %d with some text\n" % number for number in range(5)]
    whole = b"".join(lines)
    for cut in range(len(whole) + 1):
        folder = tmp_path / str(cut)
        spool = Spool(folder, max_bytes=ROOMY)
        spool.append(lines)
        os.truncate(waiting_files(folder)[0], cut)
        crash(spool)

        found = drain(Spool(folder, max_bytes=ROOMY))

        expected = whole[:cut].count(b"\n")
        assert found == lines[:expected]
        rest = whole[:cut][len(b"".join(found)) :]
        assert [path.read_bytes() for path in folder.glob("*.torn")] == ([rest] if rest else [])
        assert waiting_files(folder) == []


class Crashes(RuleBasedStateMachine):
    """Two processes that append, die at any place and write what the dead have left, against a set of what was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "spool"
        self.processes = [self.fresh(), self.fresh()]
        self.number = 0
        self.answered: list[bytes] = []
        self.database: set[bytes] = set()
        self.written_twice = 0

    def fresh(self) -> Spool:
        return Spool(self.folder, max_bytes=ROOMY, segment_bytes=60)

    @rule(who=st.integers(0, 1), count=st.integers(1, 6))
    def append(self, who: int, count: int) -> None:
        lines = [b"%06d\n" % (self.number + offset) for offset in range(count)]
        self.number += count
        self.processes[who].append(lines)
        self.answered += lines

    @rule(who=st.integers(0, 1), torn=st.binary(max_size=8).filter(lambda data: b"\n" not in data))
    def die(self, who: int, torn: bytes) -> None:
        """In the middle of a write, too: something is in the file that nobody was answered for."""
        active = self.processes[who]._active
        if active is not None:
            os.write(active.descriptor, torn)
        crash(self.processes[who])
        self.processes[who] = self.fresh()

    @rule(who=st.integers(0, 1), groups=st.integers(0, 4), size=st.integers(1, 4), commit_last=st.booleans())
    def replay_and_die(self, who: int, groups: int, size: int, commit_last: bool) -> None:
        """So many groups; the last one is committed or not, and in no case noted as done."""
        spool = self.processes[who]
        file = spool.oldest()
        if file is None:
            return
        for number, group in enumerate(spool.read(file, lines=size)):
            if number < groups or commit_last:
                self.commit(group)
            if number >= groups:
                break
            file.done = group[-1][0]
        crash(spool)
        self.processes[who] = self.fresh()

    @rule(who=st.integers(0, 1), size=st.integers(1, 4))
    def replay(self, who: int, size: int) -> None:
        spool = self.processes[who]
        while (file := spool.oldest()) is not None:
            for group in spool.read(file, lines=size):
                self.commit(group)
                file.done = group[-1][0]
            spool.retire(file)

    def commit(self, group: list[tuple[int, bytes]]) -> None:
        self.database |= {line for _, line in group}

    @precondition(lambda self: self.answered)
    @invariant()
    def nothing_is_written_that_nobody_was_answered_for(self) -> None:
        assert self.database <= set(self.answered)

    def teardown(self) -> None:
        for spool in self.processes:
            crash(spool)
        last = self.fresh()
        found = drain(last)
        assert self.database | set(found) == set(self.answered)
        assert bytes_in(self.folder) == sum(path.stat().st_size for path in self.folder.glob("*.torn"))


TestCrashes = pytest.mark.proof("I2")(Crashes.TestCase)
TestCrashes.settings = hypothesis_settings(
    max_examples=size(reduced=30, full=1_000), stateful_step_count=20, deadline=None
)
