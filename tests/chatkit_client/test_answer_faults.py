"""U3, U4 and U7: answers that are too large, too many, compressed, redirected or not what was asked for."""

import asyncio
import gzip
import json
import tracemalloc

import pytest

from chatkit_client import errors
from chatkit_client.errors import Reason
from tests.chatkit_client.cast import client_of, failed_mint, mint
from tests.chatkit_client.upstream import GOOD, error, good, says, says_and_ends, upstream, whole

MEBIBYTE = 1024 * 1024
GOOD_BYTES = whole(GOOD)


def endless(first: bytes, piece: bytes):
    """Sends `piece` for ever (well, 200 MB), as fast as it is taken."""

    async def play(_seen, writer):
        writer.write(first)
        for _ in range(200 * MEBIBYTE // len(piece)):
            writer.write(piece)
            await writer.drain()

    return play


OPEN_END = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
ANNOUNCED = OPEN_END[:-2] + b"content-length: 999999999\r\n\r\n"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n"
BOMB = gzip.compress(b"0" * 200 * MEBIBYTE, compresslevel=1)


@pytest.mark.proof("U3")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("play", "reason"),
    [
        (endless(OPEN_END, b"x" * 65536), Reason.OVERSIZED),
        (endless(CHUNKED, b"10000\r\n" + b" " * 65536 + b"\r\n"), Reason.OVERSIZED),
        (endless(ANNOUNCED, b"x" * 65536), Reason.OVERSIZED),
        (says(whole(json.dumps(GOOD | {"client_secret": "e" * 4 * MEBIBYTE}).encode())), Reason.OVERSIZED),
        (says(whole(BOMB, content_encoding="gzip")), Reason.OVERSIZED),
        (endless(b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"b" * 4000 + b"\r\n"), Reason.HEAD_TOO_LARGE),
        (endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), Reason.UNREADABLE),
        (endless(b"HTTP/1.1 200 OK\r\nx-a: ", b"b" * 65536), Reason.UNREADABLE),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000), Reason.HEAD_TOO_LARGE),
        (endless(b"", EARLY_HINTS * 1000), Reason.HEAD_TOO_LARGE),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000 + GOOD_BYTES), Reason.HEAD_TOO_LARGE),
        (says(OPEN_END[:-2] + b"x-a: b\r\n" * 12_500 + b"\r\n"), Reason.UNREADABLE),
    ],
    ids=[
        "endless body", "endless chunks", "announced 1 GB", "4 MB secret", "gzip bomb", "endless large headers",
        "endless small headers", "endless header", "endless 100", "endless 103", "20,000 x 100", "100 KB of headers",
    ],
)  # fmt: skip
async def test_an_answer_that_never_ends_is_cut_off_within_bounded_memory(play, reason, proof):
    async with client_of(play) as (client, server):
        tracemalloc.start()
        try:
            with pytest.raises(errors.UpstreamInvalid) as caught:
                await mint(client, server, deadline=5)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert caught.value.reason is reason
    proof.record(peak_mebibytes=round(peak / MEBIBYTE, 2))
    # Server and client share this process, so the peak holds both sides' buffers.
    assert peak < 5 * MEBIBYTE


@pytest.mark.proof("U3")
@pytest.mark.asyncio
async def test_two_hundred_endless_bodies_leave_nothing_behind():
    async with client_of(endless(OPEN_END, b"x" * 65536)) as (client, server):
        await asyncio.gather(*(mint(client, server) for _ in range(20)), return_exceptions=True)
        tracemalloc.start()
        try:
            for _ in range(10):
                await asyncio.gather(*(mint(client, server) for _ in range(20)), return_exceptions=True)
            await asyncio.sleep(0.05)
            server.seen.clear()
            left, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert left < 5 * MEBIBYTE


@pytest.mark.proof("U3")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 199 X\r\n\r\n",
    ],
)
async def test_interim_answers_are_skipped(interim):
    async with client_of(says(interim + GOOD_BYTES)) as (client, server):
        created = [await mint(client, server) for _ in range(3)]

    assert {each.session.id for each in created} == {"cksess_abc"}
    assert server.connections == 1


@pytest.mark.asyncio
async def test_an_interim_answer_in_a_packet_of_its_own_is_skipped():
    async def play(_seen, writer):
        for byte in b"HTTP/1.1 103 Early Hints\r\n\r\n" + GOOD_BYTES:
            writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async with client_of(play) as (client, server):
        assert (await mint(client, server)).status == 200


@pytest.mark.proof("U3")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "status", ["204 No Content", "201 Created", "202 Accepted", "206 Partial Content", "101 Switching Protocols"]
)
async def test_a_success_other_than_200_is_invalid(status):
    answer = b"HTTP/1.1 204 No Content\r\n\r\n" if status.startswith("204") else whole(GOOD, status)
    failure = await failed_mint(says_and_ends(answer), deadline=2)

    assert (type(failure), failure.reason) == (errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS)


@pytest.mark.proof("U7")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "status",
    ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"],
)
async def test_a_redirect_is_not_followed_and_the_key_goes_nowhere(status):
    async with (
        upstream(good) as target,
        client_of(says(whole(b"", status, location=target.base_url))) as (client, server),
    ):
        with pytest.raises(errors.UpstreamInvalid) as caught:
            await mint(client, server)

    assert caught.value.reason is Reason.REDIRECTED
    assert (target.connections, len(server.seen)) == (0, 1)


@pytest.mark.proof("U4")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (whole(b"<html>Sign in to the hotel's network</html>", content_type="text/html"), Reason.CONTENT_TYPE),
        (whole(b""), Reason.BODY_INVALID),
        (whole(b"{}"), Reason.BODY_INVALID),
        (whole(GOOD, content_type=""), Reason.CONTENT_TYPE),
        (whole(gzip.compress(json.dumps(GOOD).encode()), content_encoding="gzip"), Reason.CONTENT_ENCODING),
        (whole(GOOD, content_encoding="gzip"), Reason.CONTENT_ENCODING),
        (b"HTTP/1.0 200 OK\r\n\r\n", Reason.CONTENT_TYPE),
        (whole(GOOD).replace(b"content-length", b"content-length: 5\r\ncontent-length"), Reason.UNREADABLE),
        (whole(GOOD, transfer_encoding="chunked"), Reason.UNREADABLE),
    ],
)
async def test_a_200_that_is_not_what_was_asked_for_is_invalid(answer, reason):
    failure = await failed_mint(says_and_ends(answer))

    assert (type(failure), failure.reason) == (errors.UpstreamInvalid, reason)


@pytest.mark.asyncio
async def test_a_body_that_the_end_of_the_connection_ends_is_read():
    async with client_of(says_and_ends(OPEN_END + json.dumps(GOOD).encode())) as (client, server):
        assert (await mint(client, server)).session.client_secret == "ek_abc"


@pytest.mark.proof("U5")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (error("401 Unauthorized", "Incorrect", "invalid_api_key"), errors.KeyRejected, Reason.INVALID_KEY),
        (error("404 Not Found", "Workflow with id 'wf_1' not found."), errors.WorkflowMissing, Reason.WORKFLOW_MISSING),
        (error("429 Too Many Requests", retry_after="12"), errors.Throttled, Reason.THROTTLED),
        (whole(b"x" * MEBIBYTE, "503 Service Unavailable"), errors.UpstreamUnavailable, Reason.SERVER_ERROR),
        (
            whole(b"\x1f\x8b", "529 Overloaded", content_encoding="gzip"),
            errors.UpstreamUnavailable,
            Reason.SERVER_ERROR,
        ),
    ],
)
async def test_an_error_answer_keeps_its_meaning_over_the_wire(answer, kind, reason):
    failure = await failed_mint(says(answer))

    assert (type(failure), failure.reason) == (kind, reason)
    assert failure.retry_after == (12 if kind is errors.Throttled else None)
    assert failure.latency_ms is not None


@pytest.mark.asyncio
async def test_an_error_answer_does_not_cost_the_connection():
    async with client_of(says(error("429 Too Many Requests"))) as (client, server):
        for _ in range(5):
            with pytest.raises(errors.Throttled):
                await mint(client, server)

    assert server.connections == 1
