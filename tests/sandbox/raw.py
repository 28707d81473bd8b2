"""One HTTP call, as plain as it can be."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

BETA = {"OpenAI-Beta": "chatkit_beta=v1"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]


def send(url, method="GET", body=None, headers=None, *, key=None):
    """`body`: bytes as they are, anything else as JSON; `key` is presented as bearer."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    if data is not None:
        sent.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=data, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()
