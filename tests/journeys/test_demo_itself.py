"""The demo as its user handles it: closed terminals, second starts, resets, killed parents."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journeys.demo import ROOT, free_ports, running_demo

pytestmark = pytest.mark.demo


def processes_of(var: Path) -> list[str]:
    """The command lines of the processes that run in this demo's folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"VAR_DIR={var}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (OSError, PermissionError):
            continue
    return found


def wait_until_gone(var: Path, seconds: float = 30) -> list[str]:
    deadline = time.monotonic() + seconds
    while (left := processes_of(var)) and time.monotonic() < deadline:
        time.sleep(0.3)
    return left


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_lives_on_when_the_demo_ends(end: signal.Signals, tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        assert len(processes_of(tmp_path)) >= 7
        assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600

        demo.process.send_signal(end)
        demo.process.wait(timeout=40)

        assert wait_until_gone(tmp_path) == []
        # Nobody could tidy up after a kill; the next start does.
        assert (tmp_path / "demo.json").exists() is (end == signal.SIGKILL)


def test_a_second_demo_of_the_same_folder_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        second = subprocess.run(
            [sys.executable, "-m", "sandbox.demo"],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
                "PORT": str(free_ports()),
                "VAR_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )

        assert second.returncode == 1
        assert f"process {demo.process.pid}" in second.stderr
        assert (tmp_path / "demo.json").exists()


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [("PORT", "abc", "PORT=18000 make demo"), ("OPENAI_WORKFLOW_ID", "wf_nobody", "OPENAI_API_KEY")],
)
def test_what_cannot_work_is_said_before_anything_starts(name: str, value: str, cure: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
            "VAR_DIR": str(tmp_path),
            name: value,
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert cure in done.stderr
    assert value not in done.stderr or name == "PORT"
