"""Faults that give the presented key back wherever an answer has room (K7): none may reach a log, a page, a browser."""

from __future__ import annotations

from sandbox.faults.answers import encoded, error_body, good_body, whole
from sandbox.faults.wire import Fault, Received, Wire


async def echo_key_body(wire: Wire, received: Received) -> None:
    text = f"Incorrect API key provided: {received.key}. You can find your API key on your account page."
    await wire.write(whole(error_body(text, code="invalid_api_key"), "401 Unauthorized"))


async def echo_key_400(wire: Wire, received: Received) -> None:
    await wire.write(whole(error_body(f"Unknown parameter: '{received.key}'."), "400 Bad Request"))


async def echo_key_500(wire: Wire, received: Received) -> None:
    text = f"Traceback: Authorization: Bearer {received.key}".encode()
    await wire.write(whole(text, "500 Internal Server Error", content_type="text/plain"))


async def echo_key_code(wire: Wire, received: Received) -> None:
    await wire.write(whole(error_body("Refused.", code=received.key), "401 Unauthorized"))


async def echo_key_type(wire: Wire, received: Received) -> None:
    await wire.write(whole(error_body("Refused.", type=received.key), "403 Forbidden"))


async def echo_key_header(wire: Wire, received: Received) -> None:
    headers = {
        "x-request-id": received.key,
        "WWW-Authenticate": f'Bearer realm="{received.key}"',
        "Set-Cookie": received.key,
    }
    await wire.write(whole(error_body("Refused.", code="invalid_api_key"), "401 Unauthorized", headers=headers))


async def echo_key_header_200(wire: Wire, received: Received) -> None:
    await wire.write(whole(encoded(good_body(received)), headers={"x-request-id": received.key}))


async def echo_key_retry_after(wire: Wire, received: Received) -> None:
    headers = {"Retry-After": received.key}
    await wire.write(whole(error_body("Slow down."), "429 Too Many Requests", headers=headers))


async def echo_key_location(wire: Wire, received: Received) -> None:
    headers = {"Location": f"http://elsewhere.invalid/?key={received.key}"}
    await wire.write(whole(b"", "307 Temporary Redirect", content_type=None, headers=headers))


async def echo_key_malformed_json(wire: Wire, received: Received) -> None:
    await wire.write(whole(f'{{"client_secret": "{received.key}'.encode()))


async def echo_key_secret(wire: Wire, received: Received) -> None:
    """The key itself as the client secret: handing it to a browser would give the tenant's key away."""
    await wire.write(whole(encoded({**good_body(received), "client_secret": received.key})))


async def echo_key_status_line(wire: Wire, received: Received) -> None:
    await wire.write(whole(error_body("Refused."), f"403 {received.key}"))


async def echo_key_bad_header(wire: Wire, received: Received) -> None:
    """A header line that no parser takes, so that the parser's own complaint quotes the key."""
    await wire.write(f"HTTP/1.1 200 OK\r\n{received.key}\x00: x\r\n\r\n".encode())


async def echo_key_chunk(wire: Wire, received: Received) -> None:
    """A chunk size that is no number, for the same reason."""
    await wire.write(f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{received.key}\r\n".encode())


LEAK_FAULTS = (
    Fault("echo_key_body", "K7", "the key in the text of a 401", echo_key_body),
    Fault("echo_key_400", "K7", "the key in the text of a 400", echo_key_400),
    Fault("echo_key_500", "K7", "the key in a plain-text 500", echo_key_500),
    Fault("echo_key_code", "K7", "the key as error.code", echo_key_code),
    Fault("echo_key_type", "K7", "the key as error.type", echo_key_type),
    Fault("echo_key_header", "K7", "the key in headers of a 401", echo_key_header),
    Fault("echo_key_header_200", "K7", "the key as request id of a good answer", echo_key_header_200),
    Fault("echo_key_retry_after", "K7", "the key as Retry-After", echo_key_retry_after),
    Fault("echo_key_location", "K7", "the key in a redirect", echo_key_location),
    Fault("echo_key_malformed_json", "K7", "the key in broken JSON", echo_key_malformed_json),
    Fault("echo_key_secret", "K7", "the key as client_secret", echo_key_secret),
    Fault("echo_key_status_line", "K7", "the key as reason phrase", echo_key_status_line),
    Fault("echo_key_bad_header", "K7", "the key in a header line that cannot be parsed", echo_key_bad_header),
    Fault("echo_key_chunk", "K7", "the key as chunk size", echo_key_chunk),
)
