"""Child processes that start together, are started again when they die, and all end with the parent."""

import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

# Celery's worker on files needs up to 5 s to leave, and finishes the task in hand.
STOP_DEADLINE = 20.0
MOST_RESTARTS = 20


@dataclass
class Child:
    """One long-running command; its output goes to `log`."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str]
    directory: Path
    process: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    # Where in its log the output of the latest start begins.
    log_starts_at: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.log_starts_at = log.tell()
            # A session of its own: Ctrl-C in the terminal reaches only the parent, which then stops all in order.
            self.process = subprocess.Popen(  # noqa: S603  (commands are the demo's own)
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self.environment,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def _end_with_parent() -> None:
    """Linux tells this process to stop when the demo's is killed without a chance to stop its children."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Family:
    """The demo's processes, in the order in which they were started."""

    children: list[Child] = field(default_factory=list)

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start()

    def named(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def revive(self) -> list[Child]:
        """Starts the dead again and returns them; one that keeps dying ends the demo with the place of its log."""
        dead = [child for child in self.children if not child.is_alive]
        for child in dead:
            child.restarts += 1
            if child.restarts > MOST_RESTARTS:
                raise SystemExit(f"{child.name} keeps stopping. Its log says why: {child.log}")
            child.start()
        return dead

    def stop(self) -> None:
        """TERM to each, last started first; what is left after the deadline is killed with its whole group."""
        for child in reversed(self.children):
            if child.process is not None and child.is_alive:
                child.process.terminate()
        deadline = time.monotonic() + STOP_DEADLINE
        for child in self.children:
            if child.process is None:
                continue
            try:
                child.process.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()
