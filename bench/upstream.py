"""OpenAI's place in the bench: answers `POST …/chatkit/sessions` over TLS after a fixed time, and counts.

    python -m bench.upstream CERTIFICATE_FILE

prints its two ports as JSON: `port` speaks HTTPS, `control` takes lines and answers each with one line of JSON:

    latency MILLISECONDS    what every later answer waits
    counts                  {"calls", "handshakes", "resumed", "hanging", "open"}, since the start

A key that ends in `hang` never gets an answer. One thread on epoll that speaks to OpenSSL directly: asyncio's and Node's
TLS each cost three times as much, and a contestant must never wait for its upstream.
"""

import json
import re
import select
import socket
import ssl
import sys
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HANGS: Final = re.compile(rb"\r\nauthorization: *bearer [^\r]*hang\r\n", re.IGNORECASE)
_HEAD_END: Final = b"\r\n\r\n"
BACKLOG: Final = 4096
EXPIRES_AFTER: Final = 600

# The headers that OpenAI's answers carry, because reading them is part of everybody's work.
_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\nopenai-version: 2020-10-01\r\nopenai-organization: org-stand-in\r\n"
    b"openai-project: proj_standin\r\nx-request-id: req_%032x\r\nopenai-processing-ms: 12\r\ncf-cache-status: DYNAMIC\r\n"
    b"Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\nX-Content-Type-Options: nosniff\r\n"
    b'Server: cloudflare\r\nCF-RAY: 9a1b2c3d4e5f6a7b-AMS\r\nalt-svc: h3=":443"; ma=86400\r\n\r\n'
)
_BODY: Final = (
    '{"id": "cksess_%048x", "object": "chatkit.session", "status": "active", "expires_at": %d, '
    '"client_secret": "ek_%064x", "user": %s, "workflow": {"id": %s, "version": null, "state_variables": null, '
    '"tracing": {"enabled": true}}, "rate_limits": {"max_requests_per_1_minute": 10}, "max_requests_per_1_minute": 10, '
    '"chatkit_configuration": {"automatic_thread_titling": {"enabled": true}, "file_upload": {"enabled": false, '
    '"max_file_size": 512, "max_files": 10}, "history": {"enabled": true, "recent_threads": null}}}'
)


class Connection:
    __slots__ = ("buffer", "is_open", "sock")

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock
        self.buffer = b""
        self.is_open = False


class Upstream:
    def __init__(self, certificate: str) -> None:
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._tls.set_alpn_protocols(["http/1.1"])
        self._poll = select.epoll()
        self._door, self._control = _listen(), _listen()
        self._connections: dict[int, Connection] = {}
        self._operators: dict[int, socket.socket] = {}
        self._latency = 0.0
        # One latency at a time, so the first to come is the first due.
        self._due: deque[tuple[float, Connection, bytes]] = deque()
        self.calls = self.handshakes = self.resumed = self.hanging = 0

    @property
    def ports(self) -> dict[str, int]:
        return {"port": self._door.getsockname()[1], "control": self._control.getsockname()[1]}

    def serve(self) -> None:
        for listener in (self._door, self._control):
            self._poll.register(listener, select.EPOLLIN)
        door, control = self._door.fileno(), self._control.fileno()
        while True:
            for number, _ in self._poll.poll(self._pause()):
                connection = self._connections.get(number)
                if connection is not None:
                    self._hear(connection)
                elif number == door:
                    self._accept()
                elif number == control:
                    operator, _ = self._control.accept()
                    self._operators[operator.fileno()] = operator
                    self._poll.register(operator, select.EPOLLIN)
                elif number in self._operators:
                    self._obey(self._operators[number])
            self._send_due()

    def _pause(self) -> float | None:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _send_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, connection, answer = self._due.popleft()
            self._send(connection, answer)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                raw, _ = self._door.accept()
                raw.setblocking(False)
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock = self._tls.wrap_socket(raw, server_side=True, do_handshake_on_connect=False)
                self._connections[sock.fileno()] = Connection(sock)
                self._poll.register(sock, select.EPOLLIN)

    def _hear(self, connection: Connection) -> None:
        sock = connection.sock
        try:
            if not connection.is_open:
                sock.do_handshake()
                connection.is_open = True
                self.handshakes += 1
                self.resumed += bool(sock.session_reused)
            data = sock.recv(65536)
            while data and sock.pending():
                data += sock.recv(65536)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        connection.buffer += data
        self._take(connection)

    def _take(self, connection: Connection) -> None:
        head, found, rest = connection.buffer.partition(_HEAD_END)
        if not found:
            return
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        if len(rest) < size:
            return
        connection.buffer = rest[size:]
        self.calls += 1
        if _HANGS.search(head + b"\r\n"):
            self.hanging += 1
            return
        self._asked(connection, json.loads(rest[:size]))

    def _asked(self, connection: Connection, asked: dict[str, Any]) -> None:
        answer = self._answer(asked)
        if self._latency:
            self._due.append((time.monotonic() + self._latency, connection, answer))
        else:
            self._send(connection, answer)

    def _answer(self, asked: dict[str, Any]) -> bytes:
        number, expires_at = self.calls, int(time.time()) + EXPIRES_AFTER
        user, workflow = json.dumps(asked["user"]), json.dumps(asked["workflow"]["id"])
        body = (_BODY % (number, expires_at, number, user, workflow)).encode()
        return _HEAD % (len(body), number) + body

    def _send(self, connection: Connection, answer: bytes) -> None:
        try:
            connection.sock.send(answer)
        except OSError:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        number = connection.sock.fileno()
        if self._connections.pop(number, None) is not None:
            self._poll.unregister(number)
            connection.sock.close()

    def _obey(self, operator: socket.socket) -> None:
        words = operator.recv(1000).decode().split()
        if not words:
            self._poll.unregister(operator)
            del self._operators[operator.fileno()]
            operator.close()
            return
        if words[0] == "latency":
            self._latency = float(words[1]) / 1000
        counts = {name: getattr(self, name) for name in ("calls", "handshakes", "resumed", "hanging")}
        operator.sendall(json.dumps({**counts, "open": len(self._connections)}).encode() + b"\n")


def _listen() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    upstream = Upstream(sys.argv[1])
    print(json.dumps(upstream.ports), flush=True)
    upstream.serve()
