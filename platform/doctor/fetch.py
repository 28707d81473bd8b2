"""Plain HTTP to the platform's own address and for OpenAI's clock: bounded, no redirects, nothing taken from the environment."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import requests

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 5.0
MOST_BYTES: Final = 2 * 1024 * 1024


class Unreachable(Exception):
    """No whole answer came; `kind` names what failed and holds no text from outside."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Fetched:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def code(self) -> str:
        """The code of a refusal in the platform's own form, else empty: foreign text is never shown."""
        try:
            code = json.loads(self.body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return ""
        known = isinstance(code, str) and len(code) <= 40 and code.isascii() and code.replace("_", "").isalpha()
        return code if known else ""

    @property
    def answer(self) -> str:
        return f"{self.status} {self.code}".strip()


def fetch(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    ca_file: str = "",
    most: int = MOST_BYTES,
) -> Fetched:
    """Raises Unreachable. A body longer than `most` bytes, or slower than the time to read, is none."""
    ends = time.monotonic() + READ_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method,
                url,
                headers=dict(headers or {}),
                data=body,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                verify=ca_file or True,
                stream=True,
            ) as answer:
                read = b""
                for piece in answer.iter_content(65536):
                    read += piece
                    if len(read) > most or time.monotonic() > ends:
                        raise Unreachable("answer too long")
                return Fetched(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, read)
        except requests.exceptions.SSLError:
            raise Unreachable("TLS failed") from None
        except requests.exceptions.Timeout:
            raise Unreachable("no answer in time") from None
        except (requests.exceptions.RequestException, OSError, ValueError):
            raise Unreachable("no connection") from None
