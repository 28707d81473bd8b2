"""U1 and U2: connections that fail, break off, drip or stall; all end within the deadline, with the right reason."""

import asyncio
import contextlib
import socket
import time

import pytest

from chatkit_client import errors
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError, Reason
from chatkit_client.transport import Transport
from tests.chatkit_client.cast import client_of, credentials, failed_mint, mint
from tests.chatkit_client.upstream import GOOD, reset, upstream, whole
from tests.proof import size

# 8 s is the transport's own deadline; the 100 ms are the catalogue's, and in `make test` two busy cores need more.
DEADLINE = size(reduced=600, full=8_000) / 1000
SLACK = size(reduced=400, full=100) / 1000
ANSWER = whole(GOOD)
HEAD, BODY = ANSWER.split(b"\r\n\r\n")
HEAD += b"\r\n\r\n"


def breaks(sent: bytes, end):
    async def play(_seen, writer):
        writer.write(sent)
        await writer.drain()
        await asyncio.sleep(0.05)  # Let the bytes leave before a reset throws them away.
        end(writer)

    return play


def ends(writer):
    writer.close()


def half_closes(writer):
    writer.write_eof()


@pytest.mark.proof("U1")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "end", "kind", "reason"),
    [
        (b"", reset, errors.UpstreamUnavailable, Reason.RESET),
        (b"", ends, errors.UpstreamUnavailable, Reason.RESET),
        (b"", half_closes, errors.UpstreamUnavailable, Reason.RESET),
        (HEAD[:20], reset, errors.UpstreamUnavailable, Reason.RESET),
        (HEAD[:20], ends, errors.UpstreamUnavailable, Reason.RESET),
        (HEAD, reset, errors.UpstreamUnavailable, Reason.RESET),
        (HEAD + BODY[:40], reset, errors.UpstreamUnavailable, Reason.RESET),
        (HEAD + BODY[:40], ends, errors.UpstreamInvalid, Reason.TRUNCATED),
        (HEAD + BODY[:40], half_closes, errors.UpstreamInvalid, Reason.TRUNCATED),
        (b"220 mail.example.com ESMTP ready\r\n", ends, errors.UpstreamInvalid, Reason.UNREADABLE),
        (b"\x16\x03\x01\x00\xa5\x01", ends, errors.UpstreamInvalid, Reason.UNREADABLE),
    ],
)
async def test_a_connection_that_breaks_off(sent, end, kind, reason):
    error = await failed_mint(breaks(sent, end))

    assert (type(error), error.reason) == (kind, reason)


@pytest.mark.proof("U1")
@pytest.mark.asyncio
async def test_a_broken_answer_is_not_asked_for_again():
    """Only a stale connection is: this one was new, so the server may well have minted."""
    async with client_of(breaks(b"", reset)) as (client, server):
        for deed in (mint(client, server), client.read_probe(server.base_url, credentials())):
            with pytest.raises(errors.UpstreamUnavailable):
                await deed

    assert len(server.seen) == 2


def silent_after(sent: bytes, every: float = 0.0):
    async def play(_seen, writer):
        for place in range(len(sent) if every else 0):
            writer.write(sent[place : place + 1])
            await asyncio.sleep(every)
        if not every:
            writer.write(sent)
        await asyncio.sleep(30)

    return play


@pytest.mark.proof("U2")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "play",
    [
        silent_after(b""),
        silent_after(HEAD[:30]),
        silent_after(HEAD),
        silent_after(HEAD + BODY[:-1]),
        silent_after(ANSWER, every=0.05),
        silent_after(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, every=0.02),
        silent_after(HEAD.replace(b"content-length", b"x-length") + b" " * 1000),
    ],
    ids=["nothing", "half a head", "a head", "all but a byte", "a drip", "an interim drip", "an endless body"],
)
async def test_whatever_stalls_or_drips_ends_at_the_deadline(play, proof):
    started = time.monotonic()

    error = await failed_mint(play, deadline=DEADLINE)

    seconds = time.monotonic() - started
    proof.record(seconds_until_error=round(seconds, 3))
    assert seconds < DEADLINE + SLACK
    assert (type(error), error.reason) == (errors.UpstreamUnavailable, Reason.DEADLINE)
    assert DEADLINE * 1000 - 50 <= error.latency_ms < (DEADLINE + SLACK) * 1000


@pytest.mark.proof("U2")
@pytest.mark.asyncio
async def test_a_call_may_have_a_shorter_deadline_of_its_own():
    async with client_of(silent_after(b"")) as (client, server):
        started = time.monotonic()
        with pytest.raises(errors.UpstreamUnavailable):
            await mint(client, server, deadline=0.2)

    assert time.monotonic() - started < 0.2 + SLACK


@pytest.mark.asyncio
async def test_the_connection_of_a_call_that_ran_out_of_time_is_not_used_again():
    async def late_for_the_first(seen, writer):
        await asyncio.sleep(0.3 if len(server.seen) == 1 else 0)
        writer.write(ANSWER)

    async with client_of(late_for_the_first) as (client, server):
        with pytest.raises(errors.UpstreamUnavailable):
            await mint(client, server, deadline=0.1)
        await mint(client, server)

    assert server.connections == 2


@contextlib.contextmanager
def black_hole():
    """A port whose queue of connections is full: the kernel drops each further SYN without a word."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def fail(base_url, **options) -> tuple[ChatKitError, float]:
    started = time.monotonic()
    async with Transport(allowed_base_urls=[base_url], **options) as transport:
        with pytest.raises(ChatKitError) as caught:
            await ChatKitClient(transport).read_probe(base_url, credentials())
    return caught.value, time.monotonic() - started


@pytest.mark.proof("U1")
@pytest.mark.asyncio
async def test_a_black_hole_costs_the_connection_timeout_and_no_more():
    with black_hole() as port:
        error, seconds = await fail(f"http://127.0.0.1:{port}/v1", connect_timeout=0.3)

    assert error.reason is Reason.CONNECT_FAILED
    assert 0.25 < seconds < 0.3 + SLACK


@pytest.mark.proof("U1")
@pytest.mark.asyncio
async def test_a_deadline_shorter_than_the_connection_timeout_holds_too():
    with black_hole() as port:
        error, seconds = await fail(f"http://127.0.0.1:{port}/v1", connect_timeout=5, deadline=0.3)

    assert error.reason is Reason.DEADLINE
    assert seconds < 0.3 + SLACK


@pytest.mark.proof("U1")
@pytest.mark.asyncio
async def test_a_name_that_does_not_resolve_is_a_failed_connection():
    error, seconds = await fail("https://no-such-host.invalid/v1", connect_timeout=2)

    assert error.reason is Reason.CONNECT_FAILED
    assert seconds < 2 + SLACK


@pytest.mark.proof("U2")
@pytest.mark.asyncio
async def test_one_hanging_call_delays_no_other():
    async def hang_on_the_first(seen, writer):
        if len(server.seen) == 1:
            await asyncio.sleep(30)
        writer.write(ANSWER)

    async with client_of(hang_on_the_first, deadline=1.0) as (client, server):
        hanging = asyncio.create_task(mint(client, server))
        while not server.seen:
            await asyncio.sleep(0.01)
        started = time.monotonic()
        await asyncio.gather(*(mint(client, server) for _ in range(50)))
        seconds = time.monotonic() - started
        with pytest.raises(errors.UpstreamUnavailable):
            await hanging

    assert seconds < 0.9


@pytest.mark.proof("U2")
@pytest.mark.asyncio
async def test_upstream_is_closed_cleanly_after_every_fault():
    """No connection outlives its failed call: the server sees each one end."""
    async with upstream(silent_after(HEAD)) as server, Transport(allowed_base_urls=[server.base_url]) as transport:
        client = ChatKitClient(transport)
        await asyncio.gather(*(mint(client, server, deadline=0.2) for _ in range(20)), return_exceptions=True)
        assert not transport._pool._acquired
        assert not transport._pool._conns
