"""What a test can do to a stream of `/v1/responses` (`POST /control/fault`, kinds `stream_…`).

Option `after`: how many events are sent as they should be before the fault (1). `code` and `message`: of the error.
Refusals before the stream (401, 429, 5xx, billing) are those of every other endpoint: a key's state, the host's, or a fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAMILY = "stream"
STREAM_FAULTS: dict[str, str] = {
    "stream_cut": "TCP reset after event `after`",
    "stream_end": "the stream ends in order after event `after`, without its last events",
    "stream_stall": "silence after event `after`, connection open (`seconds` ends it, then the stream goes on)",
    "stream_slow": "`interval` (1) seconds before each event",
    "stream_malformed": "an event that is no JSON after event `after`, then the rest",
    "stream_failed": "`response.failed` (`code`: server_error) after event `after`, then the end",
    "stream_error": "an `error` event (`code`: server_error) after event `after`, then the end",
    "stream_revoke": "the key is revoked after event `after`; this stream goes on, the next call is a 401",
}
LONGEST_SECONDS = 600.0
MALFORMED = b'event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": "hal\n\n'


@dataclass(frozen=True)
class StreamFault:
    kind: str
    after: int = 1
    seconds: float = LONGEST_SECONDS
    interval: float = 1.0
    code: str = "server_error"
    message: str = "The sandbox was told to fail here."

    def stops(self, sent: int) -> bool:
        """The fault strikes now that `sent` events have left."""
        return sent == self.after and self.kind != "stream_slow"


def read_fault(kind: str, options: Mapping[str, Any]) -> StreamFault:
    return StreamFault(
        kind,
        after=max(0, int(options.get("after", 1))),
        seconds=float(options.get("seconds", LONGEST_SECONDS)),
        interval=float(options.get("interval", 1.0)),
        code=str(options.get("code", "server_error")),
        message=str(options.get("message", StreamFault.message)),
    )


def encoded(event: dict[str, Any], number: int) -> bytes:
    """An event as it stands on the wire."""
    data = json.dumps({**event, "sequence_number": number}, ensure_ascii=False)
    return f"event: {event['type']}\ndata: {data}\n\n".encode("utf-8", "surrogatepass")
