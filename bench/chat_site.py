"""The two that the bench of chats compares, with two processes each: the platform with everything on, and the bare peer."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.contestants import ORIGIN, ROOT, UVICORN, Place, http, production_flags
from bench.peers.words import INSTRUCTIONS, MODEL
from bench.platform_site import HIGH, Site, manage
from bench.processes import DidNotStart, Running, free_port

PROCESSES: Final = 2
# Budgets that are counted, and that nobody meets.
MANY_TOKENS: Final = 2_000_000_000
CHAT: Final[Mapping[str, str]] = {
    "SERVE_CHAT": "1",
    "CHAT_STREAMS_TENANT": "2000",
    "CHAT_STREAMS_PROCESS": "2000",
    "MESSAGES_PER_MINUTE_TENANT": str(HIGH),
    "MESSAGES_PER_MINUTE_VISITOR": str(HIGH),
    "TOKENS_PER_DAY_TENANT": str(MANY_TOKENS),
    "TOKENS_PER_DAY_VISITOR": str(MANY_TOKENS),
}


@dataclass
class Chatter:
    """One of the two, running; `ask(number, text)` is the request of a visitor who begins a conversation."""

    name: str
    running: Running
    port: int
    ask: Callable[[int, str], bytes]

    def descriptors(self) -> int:
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.running.tree())


@dataclass(frozen=True)
class Kept:
    """What the platform has written down since a moment."""

    answered: int
    others: int
    threads: int


def open_chat_tenant(site: Site) -> str:
    """Its public id."""
    site.environment.update(CHAT)
    key = "sk-proj-" + uuid.uuid4().hex + "work"
    words = ("--name", "Cedar", "--slug", "cedar", "--domain", ORIGIN, "--backend", "platform", "--model", MODEL)
    environment = {**site.environment, "OPENAI_API_KEY": key}
    answer = manage(environment, "register_tenant", *words, "--instructions", INSTRUCTIONS)
    manage(site.environment, "set_price", MODEL, "--input", "0.25", "--cached", "0.025", "--output", "2")
    return str(json.loads(answer)["public_id"])


def start_chat_platform(site: Site, place: Place, public_id: str) -> tuple[Chatter, "Visitors"]:
    port = free_port()
    command = (
        *UVICORN,
        *production_flags(),
        "--port",
        str(port),
        "--workers",
        str(PROCESSES),
        "config.asgi:application",
    )
    running = Running.start("platform-chat", command, environment=site.environment, folder=place.folder, at=ROOT)
    visitors = Visitors(port, public_id)
    return Chatter("platform", running, port, visitors.ask), visitors


def start_chat_peer(place: Place) -> Chatter:
    port = free_port()
    flags = ("--port", str(port), "--workers", str(PROCESSES), "--log-level", "warning", "--ws", "none")
    running = Running.start(
        "fastapi_chatkit",
        (*UVICORN, *flags, "bench.peers.fastapi_chatkit:app"),
        environment={
            **place.environment,
            "OPENAI_API_KEY": "sk-bench-" + uuid.uuid4().hex,
            "OPENAI_BASE_URL": f"{place.upstream}/v1",
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
            "SSL_CERT_FILE": str(place.certificates.bundle),
        },
        folder=place.folder,
        at=ROOT,
    )
    return Chatter("fastapi_chatkit", running, port, lambda _, text: http("/chatkit", _message(text)))


class Visitors:
    """Of the platform: each got a chat token from the real session endpoint."""

    def __init__(self, port: int, public_id: str) -> None:
        self._port = port
        self._path = f"/api/v1/tenants/{public_id}/chatkit/"
        self._tokens: list[str] = []

    def come(self, count: int) -> None:
        """So many visitors whom nobody has seen before. Raises DidNotStart where one gets no token."""
        body = json.dumps({"backends": ["hosted_workflow", "platform"]})
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        self._tokens = [self._token(connection, body, number) for number in range(count)]
        connection.close()

    def _token(self, connection: HTTPConnection, body: str, number: int) -> str:
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", **_forwarded(number)}
        connection.request("POST", f"{self._path}session/", body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise DidNotStart(f"A visitor got no chat token: {answer.status} {text[:300]!r}")
        token: str = json.loads(text)["client_secret"]
        return token

    def ask(self, number: int, text: str) -> bytes:
        number %= len(self._tokens)
        forwarded = [f"{name}: {value}" for name, value in _forwarded(number).items()]
        return http(self._path, _message(text), f"Authorization: Bearer {self._tokens[number]}", *forwarded)


def kept_since(database_url: str, moment: datetime) -> Kept:
    with psycopg.connect(database_url) as connection:
        rows: dict[bool, int] = dict(
            connection.execute(
                "SELECT outcome = 'answered', count(*) FROM chat_server_chatrun WHERE at >= %s GROUP BY 1", [moment]
            ).fetchall()
        )
        found: Any = connection.execute(
            "SELECT count(*) FROM chat_server_thread WHERE updated_at >= %s", [moment]
        ).fetchone()
    return Kept(rows.get(True, 0), rows.get(False, 0), int(found[0]))


def _forwarded(number: int) -> dict[str, str]:
    """As a proxy in front would say it, from the addresses that are set aside for benchmarks."""
    return {"X-Forwarded-For": f"198.18.{number >> 8 & 255}.{number & 255}", "X-Forwarded-Proto": "https"}


def _message(text: str) -> bytes:
    content = [{"type": "input_text", "text": text}]
    given: dict[str, Any] = {"content": content, "attachments": [], "quoted_text": None, "inference_options": {}}
    return json.dumps({"type": "threads.create", "params": {"input": given}}).encode()
