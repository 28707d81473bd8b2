"""OpenAI's place in the bench of chats: answers `POST /v1/responses` over TLS as a stream whose times are fixed, and counts.

    python -m bench.chat_upstream CERTIFICATE_FILE

speaks and is steered as bench.upstream is. Every answer has the same timetable, from the request's last byte on:

    HEAD_SECONDS            the headers and `response.created`
    FIRST_SECONDS           the first words
    each PIECE_SECONDS      more of them, PIECES in all, and the end with the last

A message with `[idle]` gets its first words and then some more each IDLE_SECONDS, until its reader leaves. Events are the
sandbox's, which the official SDK accepts; they are made once, so that an answer costs this process next to nothing.
"""

import heapq
import itertools
import json
import sys
import time
from typing import Any, Final

from bench.upstream import Connection, Upstream
from sandbox.responses.asked import read_asked
from sandbox.responses.events import Answer, steps
from sandbox.responses.reply import Message, Reply

HEAD_SECONDS: Final = 0.05
FIRST_SECONDS: Final = 0.1
PIECES: Final = 12
PIECE_SECONDS: Final = 0.025
# Longer than a heartbeat of the platform, shorter than what it lets OpenAI be silent.
IDLE_SECONDS: Final = 17.0
IDLE: Final = "[idle]"

_ITEM: Final = "msg_" + "0" * 48
_RESPONSE: Final = "resp_" + "0" * 48
_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nopenai-version: 2020-10-01\r\n"
    b"openai-organization: org-stand-in\r\nopenai-project: proj_standin\r\nx-request-id: req_%032x\r\n"
    b"openai-processing-ms: 12\r\ncf-cache-status: DYNAMIC\r\nX-Content-Type-Options: nosniff\r\nServer: cloudflare\r\n"
    b'CF-RAY: 9a1b2c3d4e5f6a7b-AMS\r\nalt-svc: h3=":443"; ma=86400\r\n\r\n'
)
_DELTA: Final = "response.output_text.delta"


class ModelUpstream(Upstream):
    def __init__(self, certificate: str) -> None:
        super().__init__(certificate)
        self._begun, self._first, self._deltas, self._end = _timetable()
        # By time; the number keeps those of one moment in order.
        self._plan: list[tuple[float, int, Connection, bytes, bool]] = []
        self._order = itertools.count()

    def _pause(self) -> float | None:
        return max(0.0, self._plan[0][0] - time.monotonic()) if self._plan else None

    def _send_due(self) -> None:
        while self._plan and self._plan[0][0] <= time.monotonic():
            due, _, connection, words, is_repeated = heapq.heappop(self._plan)
            if connection.sock.fileno() < 0:
                continue
            self._send(connection, words)
            if is_repeated:
                self._at(due + IDLE_SECONDS, connection, words, is_repeated=True)

    def _asked(self, connection: Connection, asked: dict[str, Any]) -> None:
        now, number = time.monotonic(), self.calls

        def own(words: bytes) -> bytes:
            return words.replace(b"0" * 48, b"%048x" % number)

        self._at(now + HEAD_SECONDS, connection, _HEAD % number + _chunk(own(self._begun)))
        self._at(now + FIRST_SECONDS, connection, _chunk(own(self._first)))
        if IDLE in json.dumps(asked["input"]):
            words = _chunk(own(self._deltas[0]))
            self._at(now + FIRST_SECONDS + IDLE_SECONDS, connection, words, is_repeated=True)
            return
        for place, delta in enumerate(self._deltas, start=1):
            self._at(now + FIRST_SECONDS + place * PIECE_SECONDS, connection, _chunk(own(delta)))
        self._at(now + FIRST_SECONDS + PIECES * PIECE_SECONDS, connection, _chunk(own(self._end)) + b"0\r\n\r\n")

    def _at(self, moment: float, connection: Connection, words: bytes, *, is_repeated: bool = False) -> None:
        heapq.heappush(self._plan, (moment, next(self._order), connection, words, is_repeated))


def _timetable() -> tuple[bytes, bytes, list[bytes], bytes]:
    """What is sent at the head, with the first words, with each of the others, and at the end."""
    asked = read_asked({"model": "gpt-sandbox", "input": "hello", "stream": True, "store": False})
    message = Message([f"word {number} " for number in range(PIECES)], id=_ITEM)
    events = [event for event, _ in steps(Answer(asked, Reply([message]), id=_RESPONSE))]
    lines = [
        f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n".encode()
        for number, event in enumerate(events)
    ]
    places = [number for number, event in enumerate(events) if event["type"] == _DELTA]
    first, last = places[0], places[-1]
    return lines[0], b"".join(lines[1 : first + 1]), lines[first + 1 : last + 1], b"".join(lines[last + 1 :])


def _chunk(words: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(words), words)


if __name__ == "__main__":
    upstream = ModelUpstream(sys.argv[1])
    print(json.dumps(upstream.ports), flush=True)
    upstream.serve()
