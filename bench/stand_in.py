"""Starts the stand-in upstream, speaks to it, and measures how fast it is by itself."""

import json
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.callers import Audience, Caller
from bench.certificates import Certificates
from bench.contestants import ROOT, WORKFLOW
from bench.processes import DidNotStart, Running

_ASKED: Final = json.dumps({"workflow": {"id": WORKFLOW}, "user": "v1.tn_somebody.0123456789abcdef"}).encode()
_REQUEST: Final = (
    b"POST /v1/chatkit/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-bench\r\n"
    b"OpenAI-Beta: chatkit_beta=v1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    % (len(_ASKED), _ASKED)
)
_MODEL_ASKED: Final = json.dumps({"model": "gpt-sandbox", "input": "hello", "stream": True}).encode()
_MESSAGE: Final = (
    b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sk-bench\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(_MODEL_ASKED), _MODEL_ASKED)
)
CALLERS: Final = 32


@dataclass(frozen=True)
class Counts:
    calls: int
    handshakes: int
    resumed: int
    hanging: int
    open: int


class StandIn:
    def __init__(
        self, environment: dict[str, str], certificates: Certificates, folder: Path, *, module: str = "bench.upstream"
    ) -> None:
        self._certificates = certificates
        command = [sys.executable, "-m", module, str(certificates.server)]
        self.running = Running.start("upstream", command, environment=environment, folder=folder, at=ROOT)
        assert self.running.process.stdout is not None  # noqa: S101 it was asked for
        line = self.running.process.stdout.readline()
        if not line:
            raise DidNotStart(f"The stand-in upstream did not start:\n{self.running.log.read_text()[-2000:]}")
        ports = json.loads(line)
        self._port: int = ports["port"]
        self.url = f"https://127.0.0.1:{self._port}"
        self._control = socket.create_connection(("127.0.0.1", ports["control"]), timeout=10)
        self._answers = self._control.makefile("rb")

    def set_latency(self, milliseconds: int) -> None:
        self._ask(f"latency {milliseconds}")

    def counts(self) -> Counts:
        return Counts(**self._ask("counts"))

    def close(self) -> None:
        self._answers.close()
        self._control.close()
        self.running.stop()

    def sessions_per_core_second(self, *, seconds: float) -> float:
        """How many sessions it would give in one second of one core, asked by 32 callers that do nothing else."""
        tls = ssl.create_default_context(cafile=self._certificates.authority)
        self.set_latency(0)
        used: list[float] = []
        audience = Audience([Caller(self._port, _REQUEST, tls=tls) for _ in range(CALLERS)])
        heard = audience.listen(
            seconds=seconds,
            warm_up=0.2,
            at_start=lambda: used.append(self.running.cpu_seconds()),
            at_end=lambda: used.append(self.running.cpu_seconds()),
        )
        return len(heard.latencies) / max(used[1] - used[0], 1e-9)

    def _ask(self, line: str) -> dict[str, int]:
        self._control.sendall(line.encode() + b"\n")
        answer: dict[str, int] = json.loads(self._answers.readline())
        return answer

    def first_words_ms(self, tls: ssl.SSLContext) -> float:
        """Of bench.chat_upstream: from a request to its first words, for a caller who does nothing else."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with tls.wrap_socket(raw, server_hostname="127.0.0.1") as sock:
                begun = time.monotonic()
                sock.sendall(_MESSAGE)
                heard = b""
                while b"output_text.delta" not in heard:
                    piece = sock.recv(65536)
                    if not piece:
                        raise DidNotStart("The stand-in upstream closed a connection without an answer.")
                    heard += piece
                return (time.monotonic() - begun) * 1000
