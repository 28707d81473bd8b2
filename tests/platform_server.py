"""The platform as it runs: real server processes on the suite's database, and a client that speaks raw HTTP to them.

    with running_platform(OPENAI_BASE_URLS=f"openai={sandbox.base_url}") as platform:
        answer = platform.post_session(tenant.public_id, origin="https://shop.example")

The process is told everything by environment variables, as in production. Tests that use it need real transactions
(`transactional_db`), or the server would not see their rows.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
CONFIGURATION_SECONDS = 1.2
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """“granted”, or the code of the refusal."""
        return "granted" if self.status == 200 else self.json["error"]["code"]


class Platform:
    """One running server process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 20.0,
        on_sent: Callable[[], None] = lambda: None,
    ) -> Answer:
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            client.request(method, path, body=body, headers=dict(headers or {}))
            on_sent()
            response = client.getresponse()
            # Lower-case names; a header that comes twice is joined, so that a test would see it.
            found: dict[str, str] = {}
            for name, value in response.getheaders():
                found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
            return Answer(response.status, found, response.read())
        finally:
            client.close()

    def post_session(
        self,
        public_id: str,
        *,
        origin: str | None = "https://shop.example",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        timeout: float = 20.0,
        on_sent: Callable[[], None] = lambda: None,
    ) -> Answer:
        """A page's call; `body` is sent as JSON unless it is bytes, and nothing is sent for None."""
        sent = {"Content-Type": JSON_TYPE, **(headers or {})}
        if origin is not None:
            sent["Origin"] = origin
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.request(method, session_path(public_id), body=data, headers=sent, timeout=timeout, on_sent=on_sent)

    def send_raw(self, data: bytes, *, timeout: float = 10.0) -> bytes:
        """Whatever the server answers to these very bytes before it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as wire:
            wire.sendall(data)
            received = b""
            while piece := wire.recv(65536):
                received += piece
        return received

    def wait_for_configuration(self) -> None:
        """Until a change that is committed now has reached this process: it looks every half second."""
        time.sleep(CONFIGURATION_SECONDS)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, *, seconds: float = 30.0) -> int:
        return self.process.wait(timeout=seconds)


def session_path(public_id: str) -> str:
    return f"/api/v1/tenants/{public_id}/chatkit/session/"


@contextmanager
def running_platform(*, ready: bool = True, **environment: str) -> Iterator[Platform]:
    """One server process on a free port; it is stopped, by force if need be, when the block ends.

    `ready`: wait until it says that it can serve. What is given as `environment` goes over what the suite runs with; `{port}` in
    it becomes the process's own port.
    """
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="platform-server-"))
    log = folder / "server.log"
    command = [
        *(sys.executable, "-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port)),
        *("--lifespan", "on", "--no-proxy-headers", "--no-server-header", "--no-access-log", "--ws", "none"),
        *("--http", "config.http_protocol:BoundedHead"),
        *("--timeout-graceful-shutdown", "10"),
    ]
    environment = {name: value.replace("{port}", str(port)) for name, value in environment.items()}
    # Rows that wait here belong to this test's database.
    environment.setdefault("SPOOL_DIR", str(folder / "spool"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(environment), stdout=output, stderr=subprocess.STDOUT
        )
    platform = Platform(process, port, log)
    try:
        _wait_until_up(platform, "/readyz" if ready else "/livez")
        yield platform
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """The database that the running test uses, as DATABASE_URL."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    login = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    return f"postgres://{login}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "PYTHONWARNINGS": "default",
        "DATABASE_URL": database_url(),
        **given,
    }


def _wait_until_up(platform: Platform, path: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if platform.process.poll() is not None:
            raise RuntimeError(f"The server ended with {platform.process.returncode}:\n{platform.log[-4000:]}")
        try:
            if platform.request("GET", path).status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"The server did not come up in {START_SECONDS:.0f} s:\n{platform.log[-4000:]}")
