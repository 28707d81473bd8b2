"""Processes of the bench: started together with their children's fate, measured as trees, and always ended."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[1]
STOP_SECONDS: Final = 15.0
PORTS: Final = (20_000, 32_000)


class DidNotStart(Exception):
    """A process ended or stayed silent; the text holds the end of its log."""


def free_port() -> int:
    """Below the ports that the system gives to outgoing connections: one of those might take it before our server does."""
    for _ in range(100):
        port = secrets.randbelow(PORTS[1] - PORTS[0]) + PORTS[0]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DidNotStart(f"No port between {PORTS[0]} and {PORTS[1]} is free.")


@dataclass
class Running:
    """One started command with all that it started in turn."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, at: Path
    ) -> Self:
        log = folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 the commands are the bench's own
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if name == "upstream" else output,
                stderr=subprocess.STDOUT if name != "upstream" else output,
                env=dict(environment),
                cwd=at,
                # A session of its own: Ctrl-C reaches the bench alone, which ends everything in order.
                start_new_session=True,
            )
        return cls(name, process, log)

    def wait_for_port(self, port: int, *, seconds: float = 30.0) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise self.did_not_start()

    def did_not_start(self) -> DidNotStart:
        return DidNotStart(f"{self.name} did not start:\n{self.last_words()}")

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def cpu_seconds(self) -> float:
        """What all processes of the tree have used, in user and system mode, all threads together."""
        return sum(_cpu_seconds(pid) for pid in self.tree())

    def megabytes(self) -> float:
        """Proportional set size of the tree: what processes share is counted once."""
        return sum(_pss_kilobytes(pid) for pid in self.tree()) / 1024

    def tree(self) -> list[int]:
        pids = [self.process.pid]
        for pid in pids:
            pids += _children(pid)
        return pids


@dataclass
class Family:
    """Everything that a run has started, ended last first."""

    members: list[Running] = field(default_factory=list)

    def add(self, member: Running) -> Running:
        self.members.append(member)
        return member

    def stop(self) -> None:
        for member in reversed(self.members):
            member.stop()


def clean_environment() -> dict[str, str]:
    """What all processes get: no proxy, CA bundle or switch of the person who starts the bench."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]), "PYTHONDONTWRITEBYTECODE": "1"}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:  # a thread that ended meanwhile
            continue
    return found


def _cpu_seconds(pid: int) -> float:
    """From the scheduler in nanoseconds, where it tells (`utime` and `stime` count in steps of 10 ms)."""
    try:
        spent = [task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
        if spent:
            return sum(map(int, spent)) / 1e9
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def _pss_kilobytes(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
