"""Faults of size (U3): too much of everything, and answers that have no body at all."""

from __future__ import annotations

import asyncio
import gzip
import io
import time
from functools import lru_cache

from sandbox.faults.answers import encoded, good_answer, good_body, head, whole
from sandbox.faults.wire import LONGEST_SECONDS, Fault, Received, Wire

BLOCK = b" " * 65_536
BOMB_BYTES = 200 * 1024 * 1024
STORM = 20_000


async def flood(wire: Wire, block: bytes) -> None:
    """The block again and again until the caller leaves."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        await wire.write(block)
        await asyncio.sleep(0)


async def endless_body(wire: Wire, received: Received) -> None:
    await wire.write(head() + b'{"client_secret": "')
    await flood(wire, BLOCK)


async def endless_chunks(wire: Wire, received: Received) -> None:
    await wire.write(head(headers={"Transfer-Encoding": "chunked"}))
    await flood(wire, b"10000\r\n" + BLOCK + b"\r\n")


async def large_body(wire: Wire, received: Received) -> None:
    """A good answer in 1 MiB: valid JSON, and yet nothing that OpenAI would send."""
    body = encoded({**good_body(received), "padding": "x" * 1_048_576})
    await wire.write(whole(body))


async def huge_length(wire: Wire, received: Received) -> None:
    body = encoded(good_body(received))
    await wire.write(head(length=10**15) + body)
    await flood(wire, BLOCK)


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """200 MiB of blanks in about 200 KiB of gzip."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(BOMB_BYTES // len(BLOCK)):
            file.write(BLOCK)
    return packed.getvalue()


async def gzip_bomb(wire: Wire, received: Received) -> None:
    packed = await asyncio.to_thread(bomb)
    await wire.write(whole(packed, headers={"Content-Encoding": "gzip"}))


async def gzip_unasked(wire: Wire, received: Received) -> None:
    """A good answer, packed although nobody asked for it."""
    await wire.write(whole(gzip.compress(encoded(good_body(received))), headers={"Content-Encoding": "gzip"}))


async def huge_header(wire: Wire, received: Received) -> None:
    await wire.write(whole(encoded(good_body(received)), headers={"x-padding": "x" * 100_000}))


async def many_headers(wire: Wire, received: Received) -> None:
    padding = {f"x-padding-{number}": "x" for number in range(5_000)}
    await wire.write(whole(encoded(good_body(received)), headers=padding))


async def endless_headers(wire: Wire, received: Received) -> None:
    await wire.write(b"HTTP/1.1 200 OK\r\n")
    await flood(wire, b"x-padding: " + b"x" * 1_000 + b"\r\n")


async def huge_reason(wire: Wire, received: Received) -> None:
    await wire.write(good_answer(received).replace(b"200 OK", b"200 " + b"O" * 100_000, 1))


async def continue_storm(wire: Wire, received: Received) -> None:
    for _ in range(STORM // 100):
        await wire.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    await wire.write(good_answer(received))


async def early_hints(wire: Wire, received: Received) -> None:
    """One 103 before a good answer: legal, and `requests` takes it for the answer."""
    await wire.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + good_answer(received))


async def early_hints_storm(wire: Wire, received: Received) -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    await flood(wire, hint * 100)


async def early_hints_only(wire: Wire, received: Received) -> None:
    await wire.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")


async def processing_drip(wire: Wire, received: Received) -> None:
    """A 102 every `interval` (0.2) seconds: each read brings something, and no answer ever comes."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        await wire.write(b"HTTP/1.1 102 Processing\r\n\r\n")
        await asyncio.sleep(float(wire.options.get("interval", 0.2)))


async def switching_protocols(wire: Wire, received: Received) -> None:
    await wire.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")


async def no_content_204(wire: Wire, received: Received) -> None:
    await wire.write(head("204 No Content", content_type=None))


async def reset_content_205(wire: Wire, received: Received) -> None:
    await wire.write(whole(b"", "205 Reset Content", content_type=None))


async def created_201(wire: Wire, received: Received) -> None:
    await wire.write(whole(encoded(good_body(received)), "201 Created"))


async def partial_206(wire: Wire, received: Received) -> None:
    await wire.write(whole(encoded(good_body(received)), "206 Partial Content"))


VOLUME_FAULTS = (
    Fault("endless_body", "U3", "a body without length or end", endless_body),
    Fault("endless_chunks", "U3", "a chunked body without end", endless_chunks),
    Fault("large_body", "U3", "a good answer padded to 1 MiB", large_body),
    Fault("huge_length", "U3", "Content-Length 10^15, and bytes to go with it", huge_length),
    Fault("gzip_bomb", "U3", "200 MiB in 200 KiB of gzip", gzip_bomb),
    Fault("gzip_unasked", "U3", "a good answer, gzipped unasked", gzip_unasked),
    Fault("huge_header", "U3", "one header of 100 KB", huge_header),
    Fault("many_headers", "U3", "5,000 headers", many_headers),
    Fault("endless_headers", "U3", "headers without end", endless_headers),
    Fault("huge_reason", "U3", "a reason phrase of 100 KB", huge_reason),
    Fault("continue_storm", "U3", "20,000 times 100 Continue, then a good answer", continue_storm),
    Fault("early_hints", "U3", "a 103, then a good answer", early_hints),
    Fault("early_hints_storm", "U3", "103 without end", early_hints_storm),
    Fault("early_hints_only", "U3", "a 103, then the connection ends", early_hints_only),
    Fault("processing_drip", "U3", "a 102 every `interval` seconds, without end", processing_drip),
    Fault("switching_protocols", "U3", "a 101 that nobody asked for", switching_protocols),
    Fault("no_content_204", "U3", "204 without a body", no_content_204),
    Fault("reset_content_205", "U3", "205 without a body", reset_content_205),
    Fault("created_201", "U3", "a good body under 201", created_201),
    Fault("partial_206", "U3", "a good body under 206", partial_206),
)
