"""Real workers and beats as processes of their own, on the database of the test and a broker of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
WORKER = ["worker", "--without-gossip", "--without-mingle", "--without-heartbeat", "-c", "2"]
BEAT = ["beat", "--max-interval", "1", "--pidfile", ""]


def database_url() -> str:
    """The database that this test runs on, for another process."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{at['NAME']}"
    password = f":{quote(at['PASSWORD'])}" if at["PASSWORD"] else ""
    return f"postgres://{at['USER']}{password}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}"


def environment(var: Path, *, base_url: str, broker: str = "filesystem://") -> dict[str, str]:
    """As the operator would set it; the secrets are those of this test run, which the settings put into the environment."""
    var.mkdir(exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "DATABASE_URL": database_url(),
        "OPENAI_BASE_URLS": f"openai={base_url}",
        "CELERY_BROKER_URL": broker,
        "VAR_DIR": str(var),
        "PYTHONWARNINGS": "ignore",
    }


class Process:
    """One `celery -A config …` with all its children; its output is in `log`."""

    def __init__(self, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", *arguments],
                cwd=ROOT,
                env=env,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to all of it: nothing is said, nothing is finished."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM, as a supervisor does; gives the exit code."""
        self._process.terminate()
        try:
            return self._process.wait(20)
        finally:
            self.kill()


@contextmanager
def running(arguments: list[str], env: dict[str, str], *, name: str) -> Iterator[Process]:
    process = Process(arguments, env, Path(env["VAR_DIR"]) / f"{name}.log")
    try:
        yield process
    finally:
        process.kill()


def eventually(claim: Callable[[], Any], *, seconds: float = 90.0) -> None:
    """Returns as soon as the claim holds; fails when the time is up."""
    ends = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < ends, f"not within {seconds} s"
        time.sleep(0.1)
