"""U8: connections are kept, a stale one costs the visitor nothing, and no answer ever reaches the wrong request."""

import asyncio
import json
import random

import aiohttp
import pytest

from chatkit_client import errors
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import Reason
from chatkit_client.transport import Transport
from tests.chatkit_client.cast import SETTINGS, client_of, credentials, mint
from tests.chatkit_client.upstream import GOOD, good, reset, whole

ANSWER = whole(GOOD)


def after_the_first_of_a_connection(end):
    """Answers the first request of each connection and meets every further one with `end`."""

    async def play(seen, writer):
        if seen.turn == 1:
            writer.write(ANSWER)
        else:
            await end(writer)

    return play


async def resets(writer):
    reset(writer)


async def closes(writer):
    writer.close()


async def writes_a_byte_and_resets(writer):
    writer.write(b"H")
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def writes_an_interim_answer_and_closes(writer):
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.asyncio
async def test_a_connection_is_used_again():
    async with client_of(good) as (client, server):
        for _ in range(100):
            await mint(client, server)

    assert server.connections == 1


@pytest.mark.proof("U8")
@pytest.mark.asyncio
@pytest.mark.parametrize("end", [resets, closes])
async def test_a_stale_connection_costs_the_visitor_nothing(end, proof):
    mints = proof.size(reduced=100, full=1_000)

    async with client_of(after_the_first_of_a_connection(end)) as (client, server):
        for _ in range(mints):
            await mint(client, server)

    assert {seen.turn for seen in server.seen} == {1, 2}
    # Half of the connections carry an answer and then go stale; each time one new one carries the second attempt.
    stale = sum(seen.turn == 2 for seen in server.seen)
    assert len(server.seen) == mints + stale
    proof.record(mints=mints, stale_connections=stale, errors=0)


@pytest.mark.proof("U8")
@pytest.mark.asyncio
async def test_idle_connections_that_the_server_closes_at_any_moment_cost_nobody_anything(proof):
    """The server ends connections after 0 to 3 ms of idleness, while 20 visitors mint with such pauses."""
    dice = random.Random(8)

    async def play(_seen, writer):
        writer.write(ANSWER)
        asyncio.get_running_loop().call_later(dice.uniform(0, 0.003), writer.close)

    async def visit(client, server):
        for _ in range(proof.size(reduced=25, full=250)):
            await mint(client, server)
            await asyncio.sleep(dice.uniform(0, 0.003))

    async with client_of(play) as (client, server):
        await asyncio.gather(*(visit(client, server) for _ in range(20)))

    assert server.connections > 20
    proof.record(mints=20 * proof.size(reduced=25, full=250), connections=server.connections, errors=0)


@pytest.mark.asyncio
@pytest.mark.parametrize("end", [writes_a_byte_and_resets, writes_an_interim_answer_and_closes])
async def test_a_used_connection_that_breaks_after_a_first_byte_is_not_stale(end):
    """The server had begun to answer, so it had begun to act: the request is not sent again."""
    async with client_of(after_the_first_of_a_connection(end)) as (client, server):
        await mint(client, server)
        with pytest.raises(errors.UpstreamUnavailable) as caught:
            await mint(client, server)

    assert caught.value.reason is Reason.RESET
    assert [seen.turn for seen in server.seen] == [1, 2]


@pytest.mark.proof("U8")
@pytest.mark.asyncio
async def test_the_second_attempt_is_the_last_one():
    async def answers_once(seen, writer):
        if len(server.seen) == 1:
            writer.write(ANSWER)
        else:
            reset(writer)

    async with client_of(answers_once) as (client, server):
        await mint(client, server)
        with pytest.raises(errors.UpstreamUnavailable) as caught:
            await mint(client, server)

    assert caught.value.reason is Reason.RESET
    assert [seen.turn for seen in server.seen] == [1, 2, 1]


@pytest.mark.asyncio
async def test_the_second_attempt_shares_the_deadline_of_the_first():
    async def resets_late_then_hangs(seen, writer):
        if len(server.seen) == 1:
            writer.write(ANSWER)
        elif seen.turn == 2:
            await asyncio.sleep(0.3)
            reset(writer)
        else:
            await asyncio.sleep(30)

    async with client_of(resets_late_then_hangs) as (client, server):
        await mint(client, server)
        with pytest.raises(errors.UpstreamUnavailable) as caught:
            await mint(client, server, deadline=0.5)

    assert caught.value.reason is Reason.DEADLINE
    assert caught.value.latency_ms < 900
    assert len(server.seen) == 3


@pytest.mark.proof("U8")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "extra",
    [
        ANSWER.replace(b"ek_abc", b"ek_xyz"),
        b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pause", [0, 0.02])
async def test_bytes_that_nobody_asked_for_never_become_the_next_answer(extra, pause):
    """With the answer in one packet, or a moment later on the idle connection."""

    async def play(_seen, writer):
        if pause:
            writer.write(ANSWER)
            await writer.drain()
            await asyncio.sleep(pause)
            writer.write(extra)
        else:
            writer.write(ANSWER + extra)

    async with client_of(play) as (client, server):
        first = await mint(client, server)
        await asyncio.sleep(0.06)
        second = await mint(client, server)

    assert (first.session.client_secret, second.session.client_secret) == ("ek_abc", "ek_abc")
    assert server.connections == 2


@pytest.mark.asyncio
async def test_garbage_behind_an_answer_spoils_at_most_that_answer():
    async def play(_seen, writer):
        writer.write(ANSWER + (b"garbage" if len(server.seen) == 1 else b""))

    async with client_of(play) as (client, server):
        with pytest.raises(errors.UpstreamInvalid):
            await mint(client, server)
        await mint(client, server)

    assert server.connections == 2


@pytest.mark.asyncio
async def test_a_split_answer_cannot_smuggle_a_second_one():
    """The end of the body and a whole further answer in one packet, the head in another."""
    head, body = ANSWER.split(b"\r\n\r\n")

    async def play(_seen, writer):
        writer.write(head + b"\r\n\r\n" + body[:30])
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(body[30:] + ANSWER.replace(b"ek_abc", b"ek_xyz"))

    async with client_of(play) as (client, server):
        secrets = [(await mint(client, server)).session.client_secret for _ in range(4)]

    assert secrets == ["ek_abc"] * 4
    assert server.connections == 4


@pytest.mark.asyncio
async def test_parallel_calls_get_their_own_answers():
    async def play(seen, writer):
        user = json.loads(seen.body)["user"]
        await asyncio.sleep(random.uniform(0, 0.01))
        writer.write(whole(GOOD | {"user": user, "client_secret": f"ek_{user}"}))

    async with client_of(play) as (client, server):

        async def one(number):
            given = await client.create_session(server.base_url, credentials(), user=f"u{number}", settings=SETTINGS)
            return given.session.client_secret

        secrets = await asyncio.gather(*(one(number) for number in range(300)))

    assert secrets == [f"ek_u{number}" for number in range(300)]


@pytest.mark.asyncio
async def test_the_pool_grows_with_the_calls_unless_it_is_limited():
    async def slow(_seen, writer):
        await asyncio.sleep(0.02)
        writer.write(ANSWER)

    async with client_of(slow, limit=3) as (client, server):
        await asyncio.gather(*(mint(client, server) for _ in range(30)))

    assert server.connections == 3


@pytest.mark.asyncio
async def test_closing_ends_calls_in_flight_as_an_error_of_the_tree():
    async def silent(_seen, _writer):
        await asyncio.sleep(30)

    async with client_of(silent) as (client, server):
        task = asyncio.create_task(mint(client, server))
        while not server.seen:
            await asyncio.sleep(0.01)
        await client._transport.close()
        with pytest.raises(errors.UpstreamUnavailable):
            await task


@pytest.mark.asyncio
async def test_what_we_lean_on_in_aiohttp_is_still_there():
    """Private names: if an upgrade renames one, this says so before a fault in production does."""
    from aiohttp.client_proto import ResponseHandler

    from chatkit_client.wire import BoundedConnector, BoundedHandler

    async with aiohttp.TCPConnector() as connector:
        assert connector._factory.func is ResponseHandler
        handler = connector._factory()
        assert handler._parser is None
        assert handler._payload is None
        assert handler.exception() is None
    async with Transport(allowed_base_urls=["http://127.0.0.1:1/v1"]) as transport:
        assert ChatKitClient(transport)
        for used in (transport._pool, transport._fresh):
            assert isinstance(used, BoundedConnector)
            assert isinstance(used._factory(), BoundedHandler)
