"""Faults of the connection and of time: U1 (ends where none should), U2 (drips and stalls), U8 (stale keep-alive)."""

from __future__ import annotations

import asyncio
import time

from sandbox.faults.answers import encoded, good_answer, good_body, head
from sandbox.faults.wire import LONGEST_SECONDS, Fault, Received, Wire

DRIP_SECONDS = 0.2


async def stall(wire: Wire) -> None:
    """Says nothing until the caller leaves; `seconds` ends it earlier."""
    end = time.monotonic() + min(LONGEST_SECONDS, float(wire.options.get("seconds", LONGEST_SECONDS)))
    while time.monotonic() < end and not wire.is_gone:  # noqa: ASYNC110 - what ends it is a socket, which sets no event
        await asyncio.sleep(0.05)


async def drip(wire: Wire, data: bytes) -> None:
    """One byte at a time, every `interval` seconds; after the last byte the fault stalls."""
    interval = float(wire.options.get("interval", DRIP_SECONDS))
    for place in range(len(data)):
        await wire.write(data[place : place + 1])
        await asyncio.sleep(interval)


async def ok(wire: Wire, received: Received) -> None:
    await wire.write(good_answer(received, keep_alive=True))


async def ok_with_request_id(wire: Wire, received: Received) -> None:
    await wire.write(good_answer(received, keep_alive=True, headers={"x-request-id": "req_0123456789abcdef"}))


async def ok_late(wire: Wire, received: Received) -> None:
    await asyncio.sleep(float(wire.options.get("seconds", 1.0)))
    await wire.write(good_answer(received, keep_alive=True))


async def reset_before_headers(wire: Wire, received: Received) -> None:
    wire.reset()


async def close_before_headers(wire: Wire, received: Received) -> None:
    """The server ends the connection without a word: a browser calls it ERR_EMPTY_RESPONSE."""


async def reset_mid_headers(wire: Wire, received: Received) -> None:
    await wire.write(good_answer(received)[:40])
    await asyncio.sleep(0.05)  # Let the bytes leave before the reset throws them away.
    wire.reset()


async def close_mid_headers(wire: Wire, received: Received) -> None:
    await wire.write(good_answer(received)[:40])


async def reset_mid_body(wire: Wire, received: Received) -> None:
    body = encoded(good_body(received))
    await wire.write(head(length=len(body)) + body[: len(body) // 2])
    await asyncio.sleep(0.05)
    wire.reset()


async def close_mid_body(wire: Wire, received: Received) -> None:
    body = encoded(good_body(received))
    await wire.write(head(length=len(body)) + body[: len(body) // 2])


async def half_close(wire: Wire, received: Received) -> None:
    wire.half_close()
    await stall(wire)


async def not_http(wire: Wire, received: Received) -> None:
    await wire.write(b"220 mail.example.com ESMTP ready\r\n")


async def stall_before_headers(wire: Wire, received: Received) -> None:
    await stall(wire)


async def stall_mid_headers(wire: Wire, received: Received) -> None:
    await wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
    await stall(wire)


async def stall_after_headers(wire: Wire, received: Received) -> None:
    await wire.write(head(length=len(encoded(good_body(received)))))
    await stall(wire)


async def stall_mid_body(wire: Wire, received: Received) -> None:
    body = encoded(good_body(received))
    await wire.write(head(length=len(body)) + body[: len(body) // 2])
    await stall(wire)


async def header_drip(wire: Wire, received: Received) -> None:
    await drip(wire, good_answer(received))


async def body_drip(wire: Wire, received: Received) -> None:
    body = encoded(good_body(received))
    await wire.write(head(length=len(body)))
    await drip(wire, body)


async def whitespace_drip(wire: Wire, received: Received) -> None:
    """A good body after endless leading blanks: each read brings something, and nothing ever comes of it."""
    await wire.write(head())
    await drip(wire, b" " * 10_000)


async def stale_keepalive(wire: Wire, received: Received) -> None:
    """The first request of a connection is answered; the second finds the connection dead."""
    if received.turn == 1:
        await wire.write(good_answer(received, keep_alive=True))
    else:
        wire.reset()


CONNECTION_FAULTS = (
    Fault("ok", "-", "a good answer, connection kept", ok, keeps_alive=True),
    Fault("ok_with_request_id", "-", "a good answer with an x-request-id", ok_with_request_id, keeps_alive=True),
    Fault("ok_late", "-", "a good answer after `seconds` (1)", ok_late, keeps_alive=True),
    Fault("reset_before_headers", "U1", "TCP reset instead of an answer", reset_before_headers),
    Fault("close_before_headers", "U1", "connection ended without a word", close_before_headers),
    Fault("reset_mid_headers", "U1", "TCP reset inside the headers", reset_mid_headers),
    Fault("close_mid_headers", "U1", "connection ended inside the headers", close_mid_headers),
    Fault("reset_mid_body", "U1", "TCP reset after half the body", reset_mid_body),
    Fault("close_mid_body", "U1", "connection ended after half the body", close_mid_body),
    Fault("half_close", "U1", "server ends its direction only, then stays", half_close),
    Fault("not_http", "U1", "a greeting of another protocol", not_http),
    Fault("stall_before_headers", "U2", "no answer, connection open", stall_before_headers),
    Fault("stall_mid_headers", "U2", "half the headers, then silence", stall_mid_headers),
    Fault("stall_after_headers", "U2", "all headers, then silence", stall_after_headers),
    Fault("stall_mid_body", "U2", "half the body, then silence", stall_mid_body),
    Fault("header_drip", "U2", "one byte every `interval` (0.2) seconds from the first on", header_drip),
    Fault("body_drip", "U2", "headers at once, body one byte every `interval` seconds", body_drip),
    Fault("whitespace_drip", "U2", "an endless run of blanks before the body", whitespace_drip),
    Fault("stale_keepalive", "U8", "the second request on a connection is reset", stale_keepalive, keeps_alive=True),
)
