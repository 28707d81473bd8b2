"""One request's bytes, and the way to its host: made by hand, because aiohttp's own request costs more than the rest of a mint.

aiohttp keeps what is hard: resolving, connecting, TLS, the pool and the parser of answers. A request of ours is a dozen
fixed lines and a JSON body, so building it anew from a URL, a multidict and a writer for each call bought nothing
(docs/decisions/0016-requests-written-by-hand.md).
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Final, Self

import aiohttp
from yarl import URL

from chatkit_client.calls import Call
from chatkit_client.credentials import Credentials

_FIXED_LINES: Final = (
    "Accept: application/json\r\n"
    "Accept-Encoding: identity\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: chatkit-platform/1\r\n"
)
_BETA_LINE: Final = "OpenAI-Beta: chatkit_beta=v1\r\n"
_PATH: Final = re.compile(r"/[\x21-\x7e]*")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Route:
    """An allowed base URL: whom aiohttp connects to, and what each request line and Host header say."""

    target: aiohttp.ClientRequest
    host: str
    prefix: str

    @classmethod
    def to(cls, base_url: str) -> Self:
        """On the running loop; `base_url` without a trailing slash."""
        url = URL(base_url, encoded=True)
        target = aiohttp.ClientRequest("GET", url, loop=asyncio.get_running_loop())
        return cls(target, host=target.headers["Host"], prefix=url.raw_path.rstrip("/"))

    def request(self, call: Call, key: str, credentials: Credentials) -> bytes:
        """The whole request. `key` must have been found fit for a header; ValueError for a path that is not quoted."""
        path = self.prefix + call.path
        if not _PATH.fullmatch(path):
            raise ValueError("The path of a call must be quoted.")
        body = b"" if call.body is None else _encode(call.body).encode()
        lines = f"{call.method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{_FIXED_LINES}Authorization: Bearer {key}\r\n"
        if call.beta:
            lines += _BETA_LINE
        if credentials.organization:
            lines += f"OpenAI-Organization: {credentials.organization}\r\n"
        if credentials.project:
            lines += f"OpenAI-Project: {credentials.project}\r\n"
        if call.method != "GET":
            lines += f"Content-Length: {len(body)}\r\n"
        return f"{lines}\r\n".encode("ascii") + body
