"""The contestants: how each is started with its best sensible settings, and what its visitors send.

| name              | server, and why so                                                                                 |
|-------------------|----------------------------------------------------------------------------------------------------|
| `platform`        | the image's own command (Dockerfile): uvicorn on uvloop and httptools                              |
| `guide`           | gunicorn, one worker of 32 threads: the view waits for its upstream, so it needs threads           |
| `drf_gthread`     | gunicorn, 32 threads a worker; 256 a worker from 1,000 visitors on, where each waiting call takes one |
| `fastapi_starter` | uvicorn on uvloop and httptools                                                                    |
| `node_route`      | Node's `http`; Node's `cluster` where there are two processes                                      |
| `floor`           | the platform's server                                                                              |

All of them write no access log and keep connections alive. One process each; from 1,000 visitors on two.
"""

import json
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.callers import Audience, Broken, Caller, Heard
from bench.certificates import Certificates
from bench.processes import Running, free_port

ROOT: Final = Path(__file__).resolve().parents[1]
WORKFLOW: Final = "wf_bench"
ORIGIN: Final = "https://shop.example"
UVICORN: Final = (sys.executable, "-m", "uvicorn", "--host", "127.0.0.1", "--no-access-log")
GUNICORN: Final = (
    *(sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--keep-alive", "75", "--backlog", "4096"),
    *("--worker-connections", "4096", "--log-level", "warning", "--worker-tmp-dir", "/dev/shm"),  # noqa: S108 gunicorn's advice
)


def production_flags() -> list[str]:
    """How the image starts the platform's server, from the Dockerfile, but for where it listens and how often it is there."""
    command = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert command is not None  # noqa: S101 a test builds on it, too
    words = iter(json.loads(command[1])[2:])
    flags: list[str] = []
    for word in words:
        if word in ("--host", "--port", "--workers"):
            next(words)
        elif word not in UVICORN:
            flags.append(word)
    return flags


_SETTINGS: Final = {"guide": "bench.peers.guide_settings", "drf_gthread": "bench.peers.drf_pooled_settings"}


@dataclass(frozen=True)
class Place:
    """What every contestant is told: the upstream's address, whom to believe, and where the bench keeps its files."""

    upstream: str
    certificates: Certificates
    environment: Mapping[str, str]
    folder: Path
    node: str


@dataclass
class Contestant:
    """One that is running; `caller` makes a visitor of it by number."""

    name: str
    processes: int
    running: Running
    port: int
    make_caller: Callable[[int, int], Caller]

    def callers(self, count: int) -> list[Caller]:
        return [self.make_caller(self.port, number) for number in range(count)]

    def first_call(self) -> Heard:
        """A gunicorn that listens may still find that its application cannot be loaded."""
        try:
            return Audience(self.callers(1)).listen(seconds=0.3, warm_up=0.0)
        except Broken as problem:
            raise self.running.did_not_start() from problem


def start_peer(name: str, place: Place, *, processes: int) -> Contestant:
    """Any contestant but the platform, which needs more (bench.platform_site)."""
    port = free_port()
    threads = 32 if processes == 1 else 256
    gunicorn = (*GUNICORN, "--bind", f"127.0.0.1:{port}", "--workers", str(processes), "--threads", str(threads))
    uvicorn = (*UVICORN, "--port", str(port))
    command: tuple[str, ...] = {
        "guide": (*gunicorn, "bench.peers.guide:application"),
        "drf_gthread": (*gunicorn, "bench.peers.drf_pooled:application"),
        "fastapi_starter": (*uvicorn, "--log-level", "warning", "bench.peers.fastapi_starter:app"),
        "node_route": (place.node, str(ROOT / "bench" / "peers" / "node_route.mjs")),
        "floor": (*uvicorn, "--log-level", "warning", "--ws", "none", "--lifespan", "off", "bench.peers.floor:app"),
    }[name]
    environment = {
        **place.environment,
        "OPENAI_API_KEY": "sk-bench-" + uuid.uuid4().hex,
        "OPENAI_BASE_URL": f"{place.upstream}/v1",
        "OPENAI_HOST": place.upstream,
        "OPENAI_WORKFLOW_ID": WORKFLOW,
        "REQUESTS_CA_BUNDLE": str(place.certificates.bundle),
        "SSL_CERT_FILE": str(place.certificates.bundle),
        # Node adds it to the bundle that it has built in.
        "NODE_EXTRA_CA_CERTS": str(place.certificates.authority),
        "NODE_ENV": "production",
        "DJANGO_SETTINGS_MODULE": _SETTINGS.get(name, ""),
        "PORT": str(port),
        "THREADS": str(threads),
        "WORKERS": str(processes),
    }
    running = Running.start(f"{name}-{processes}", command, environment=environment, folder=place.folder, at=ROOT)
    return Contestant(name, processes, running, port, _MAKERS[name])


def http(path: str, body: bytes, *headers: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Accept: */*",
        "Accept-Language: en-GB,en;q=0.9",
        "Accept-Encoding: gzip, deflate, br, zstd",
        f"Origin: {ORIGIN}",
        f"Referer: {ORIGIN}/",
        "Content-Type: application/json",
        *headers,
        f"Content-Length: {len(body)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _guides(port: int, _number: int) -> Caller:
    return Caller(port, http("/api/chatkit/session/", b""))


def _drfs(port: int, _number: int) -> Caller:
    return Caller(port, http("/api/chatkit/session/", json.dumps({"user": uuid.uuid4().hex}).encode()))


def _starters(port: int, _number: int) -> Caller:
    body = json.dumps({"workflow": {"id": WORKFLOW}}).encode()
    return Caller(port, http("/api/create-session", body, f"Cookie: chatkit_session_id={uuid.uuid4()}"))


_MAKERS: Final[dict[str, Callable[[int, int], Caller]]] = {
    "guide": _guides,
    "drf_gthread": _drfs,
    "fastapi_starter": _starters,
    "node_route": _starters,
    "floor": _starters,
}
