"""The demo's own processes, as `make demo` starts them, for the journeys to walk through."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
PORTS = 10


@dataclass(frozen=True)
class Demo:
    """A running demo: what var/demo.json says, and where its files are."""

    facts: dict[str, Any]
    var: Path
    process: "subprocess.Popen[bytes]"

    @property
    def platform(self) -> str:
        return str(self.facts["platform"])

    @property
    def sandbox(self) -> str:
        return str(self.facts["sandbox"])

    def tenant(self, name: str) -> dict[str, str]:
        return next(tenant for tenant in self.facts["tenants"] if tenant["name"] == name)

    def session_address(self, public_id: str) -> str:
        return f"{self.platform}/api/v1/tenants/{public_id}/chatkit/session/"


@contextmanager
def running_demo(var: Path, **environment: str) -> Iterator[Demo]:
    """Starts the demo on free ports, waits for var/demo.json, and stops it by SIGTERM."""
    port = free_ports()
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.demo"],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.endswith("_URL")},
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
            "PORT": str(port),
            "VAR_DIR": str(var),
            # Celery names its processes where setproctitle is installed, as the mutation tests' tool wants it; by default that
            # overwrites the environment by which the tests recognise them.
            "SPT_NOENV": "1",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield Demo(_wait_for(var / "demo.json", process), var, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def _wait_for(file: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if file.exists():
            facts: dict[str, Any] = json.loads(file.read_text())
            return facts
        if process.poll() is not None:
            raise AssertionError(f"The demo stopped: {process.communicate()[0].decode()}")
        time.sleep(0.2)
    raise AssertionError(f"The demo did not start within {START_SECONDS} s. Its logs are in {file.parent / 'logs'}")


def wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"Nothing listens on port {port} after 20 s.")


def free_ports() -> int:
    """The first of PORTS consecutive ports that are all free."""
    for port in range(20000 + os.getpid() % 2000 * 10, 45000, PORTS):
        sockets = [socket.socket() for _ in range(PORTS)]
        try:
            for offset, each in enumerate(sockets):
                each.bind(("127.0.0.1", port + offset))
            return port
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
    raise AssertionError("No free ports were found.")
