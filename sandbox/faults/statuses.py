"""Faults of status (U5, U7): every refusal OpenAI or something before it may give, and redirects.

`status_<n>` exists for each status of STATUSES, with a body of OpenAI's shape. A redirect leads to `target`, by default
to another host; the calls that followed it can then be looked for there.
"""

from __future__ import annotations

import time
from email.utils import formatdate

from sandbox import errors
from sandbox.faults.answers import encoded, error_body, whole
from sandbox.faults.bodies import HTML
from sandbox.faults.wire import Fault, Play, Received, Wire

STATUSES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    413: "Payload Too Large",
    418: "I'm a teapot",
    421: "Misdirected Request",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    520: "Web Server Returned an Unknown Error",
    529: "Site is overloaded",
    599: "Unheard of",
}
RETRY_AFTERS = {
    "seconds": "7",
    "date": "",  # made when it is played: 20 seconds from then
    "past_date": "Wed, 21 Oct 2015 07:28:00 GMT",
    "zero": "0",
    "negative": "-5",
    "huge": "99999999999999999999",
    "fraction": "1.5",
    "garbage": "soon; DROP TABLE",
    "empty": "",
    "unicode": "٣",
}
GUIDE_REFUSALS = {
    "guide_missing_workflow": errors.missing_parameter("workflow"),
    "guide_missing_user": errors.missing_parameter("user"),
    "guide_workflow_type": errors.invalid_type("workflow", "an object", "a string"),
    "guide_missing_beta": errors.invalid_beta(),
    "guide_workflow_not_found": errors.workflow_not_found("wf_sandbox_gone"),
    "session_not_found": errors.session_not_found("cksess_gone"),
    "missing_scopes": errors.missing_scopes("api.chatkit.write"),
    "unsupported_region": errors.unsupported_region(),
    **{f"billing_{code}": errors.billing(code) for code in errors.BILLING_CODES},
}
# A refusal whose body is not the envelope: none of these may be read as anything but its status.
ODD_BODIES = {
    "html": HTML,
    "empty": b"",
    "text": b"upstream connect error or disconnect/reset before headers",
    "null": b"null",
    "array": b"[]",
    "error_null": b'{"error": null}',
    "error_text": b'{"error": "invalid_api_key"}',
    "error_list": b'{"error": [{"code": "invalid_api_key"}]}',
    "code_int": b'{"error": {"message": "x", "type": "y", "param": null, "code": 7}}',
    "code_list": b'{"error": {"message": "x", "type": "y", "param": null, "code": ["invalid_api_key"]}}',
    "code_long": encoded({"error": {"message": "x", "type": "y", "param": None, "code": "c" * 10_000}}),
    "code_markup": encoded({"error": {"message": "x", "type": "y", "param": None, "code": "<b>\r\n\x1b[31m"}}),
    "message_list": b'{"error": {"message": ["x"], "type": null, "param": null, "code": null}}',
    "truncated": b'{"error": {"message": "Incorrect API key provided: sk-',
}


def status(code: int, body: bytes | None = None) -> Play:
    async def play(wire: Wire, received: Received) -> None:
        text = body if body is not None else error_body(f"{STATUSES[code]}.", type="server_error")
        kind = "text/html" if text == HTML else "application/json"
        await wire.write(whole(text, f"{code} {STATUSES[code]}", content_type=kind))

    return play


def refusal(refused: errors.Refusal) -> Play:
    async def play(wire: Wire, received: Received) -> None:
        line = f"{refused.status} {STATUSES[refused.status]}"
        await wire.write(whole(encoded(refused.body()), line, headers=refused.headers))

    return play


def throttled(kind: str) -> Play:
    async def play(wire: Wire, received: Received) -> None:
        value = formatdate(time.time() + 20, usegmt=True) if kind == "date" else RETRY_AFTERS[kind]
        body = encoded(errors.throttled(None).body())
        await wire.write(whole(body, "429 Too Many Requests", headers={"Retry-After": value}))

    return play


def redirect(code: int) -> Play:
    async def play(wire: Wire, received: Received) -> None:
        target = str(wire.options.get("target", "http://elsewhere.invalid/v1/chatkit/sessions"))
        await wire.write(whole(b"", f"{code} Moved", content_type=None, headers={"Location": target}))

    return play


STATUS_FAULTS = (
    *(Fault(f"status_{code}", "U5", f"{code} {text}", status(code)) for code, text in STATUSES.items()),
    *(Fault(name, "U5", refused.message[:70], refusal(refused)) for name, refused in GUIDE_REFUSALS.items()),
    *(Fault(f"retry_after_{kind}", "U5", f"429, Retry-After: {kind}", throttled(kind)) for kind in RETRY_AFTERS),
    *(Fault(f"status_401_{name}", "U5", f"401, body: {name}", status(401, body)) for name, body in ODD_BODIES.items()),
    *(Fault(f"status_500_{name}", "U5", f"500, body: {name}", status(500, body)) for name, body in ODD_BODIES.items()),
    *(
        Fault(f"redirect_{code}", "U7", f"{code} to `target`, by default another host", redirect(code))
        for code in (300, 301, 302, 303, 307, 308)
    ),
)
