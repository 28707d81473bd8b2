"""The floor: a constant of the size of our answer, with no framework, no check and no upstream, on our own server."""

import json
from typing import Any

_BODY = json.dumps(
    {
        "client_secret": "ek_" + "0" * 64,
        "expires_at": 1800000000,
        "expires_in": 600,
        "backend": "hosted_workflow",
        "visitor_token": "vt1.k1." + "0" * 80,
    }
).encode()
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())],
}
_END = {"type": "http.response.body", "body": _BODY}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send(_START)
        await send(_END)
