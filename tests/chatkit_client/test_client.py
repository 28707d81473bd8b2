"""The five deeds, over real HTTP."""

import pytest

from chatkit_client import errors
from chatkit_client.answers import Thread, ThreadPage
from chatkit_client.client import Probed
from tests.chatkit_client.cast import USER, client_of, credentials, mint
from tests.chatkit_client.upstream import GOOD, error, says, whole

GONE = error("404 Not Found", "Chatkit Session with id 'cksess_abc' not found.")


@pytest.mark.asyncio
async def test_a_minted_session_comes_with_its_facts():
    async with client_of(says(whole(GOOD | {"user": USER}, x_request_id="req_1"))) as (client, server):
        created = await mint(client, server)

    assert (created.session.id, created.session.client_secret) == ("cksess_abc", "ek_abc")
    assert (created.status, created.request_id) == (200, "req_1")
    assert 0 <= created.latency_ms < 5000


@pytest.mark.asyncio
async def test_a_session_of_another_user_is_refused():
    async with client_of(says(whole(GOOD | {"user": "other"}))) as (client, server):
        with pytest.raises(errors.UpstreamInvalid, match="answer_mismatch"):
            await mint(client, server)


@pytest.mark.asyncio
async def test_a_session_is_cancelled():
    done = whole(GOOD | {"status": "cancelled", "client_secret": ""})
    async with client_of(says(done)) as (client, server):
        assert await client.cancel_session(server.base_url, credentials(), "cksess_abc") is True

    assert server.seen[0].head.startswith("POST /v1/chatkit/sessions/cksess_abc/cancel ")
    assert (server.seen[0].body, server.seen[0].header("content-length")) == (b"", "0")


@pytest.mark.asyncio
async def test_what_is_already_gone_counts_as_removed():
    async with client_of(says(GONE)) as (client, server):
        assert await client.cancel_session(server.base_url, credentials(), "cksess_abc") is False
        assert await client.delete_thread(server.base_url, credentials(), "cthr_1") is False


@pytest.mark.asyncio
async def test_a_404_of_something_in_between_does_not_count_as_removed():
    async with client_of(says(whole(b"<html>404</html>", "404 Not Found"))) as (client, server):
        with pytest.raises(errors.UpstreamInvalid):
            await client.cancel_session(server.base_url, credentials(), "cksess_abc")
        with pytest.raises(errors.UpstreamInvalid):
            await client.delete_thread(server.base_url, credentials(), "cthr_1")


@pytest.mark.asyncio
async def test_a_cancellation_with_a_dead_key_says_so():
    refused = error("401 Unauthorized", "Incorrect API key", "invalid_api_key")
    async with client_of(says(refused)) as (client, server):
        with pytest.raises(errors.KeyRejected):
            await client.cancel_session(server.base_url, credentials(), "cksess_abc")


@pytest.mark.asyncio
async def test_a_thread_is_deleted():
    async with client_of(says(whole({"id": "cthr_1", "deleted": True}))) as (client, server):
        assert await client.delete_thread(server.base_url, credentials(), "cthr_1") is True

    assert server.seen[0].head.startswith("DELETE /v1/chatkit/threads/cthr_1 ")


@pytest.mark.asyncio
async def test_threads_of_one_user_are_listed():
    page = {"object": "list", "data": [{"id": "cthr_1", "user": "a b"}], "has_more": False, "last_id": "cthr_1"}
    async with client_of(says(whole(page))) as (client, server):
        found = await client.list_threads(server.base_url, credentials(), user="a b", limit=50, after="cthr_0")

    assert found == ThreadPage((Thread("cthr_1", "a b"),), False, "cthr_1")
    assert server.seen[0].target == "/v1/chatkit/threads?limit=50&order=desc&after=cthr_0&user=a+b"


@pytest.mark.asyncio
async def test_a_probe_tells_how_long_it_took():
    page = {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
    async with client_of(says(whole(page))) as (client, server):
        probed = await client.read_probe(server.base_url, credentials())

    assert isinstance(probed, Probed)
    assert (probed.status, probed.request_id) == (200, None)


@pytest.mark.asyncio
async def test_a_model_that_thinks_longer_than_the_shortest_answer_has_proven_itself():
    cut = {
        "id": "resp_1",
        "object": "response",
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
    }
    async with client_of(says(whole(cut, x_request_id="req_2"))) as (client, server):
        probed = await client.shortest_answer(server.base_url, credentials(), "gpt-5-mini")

    assert (probed.status, probed.request_id) == (200, "req_2")


@pytest.mark.asyncio
async def test_a_run_that_failed_says_why():
    failed = {"id": "resp_1", "object": "response", "status": "failed", "error": {"code": "rate_limit_exceeded"}}
    async with client_of(says(whole(failed))) as (client, server):
        with pytest.raises(errors.Throttled, match="rate_limit_exceeded"):
            await client.shortest_answer(server.base_url, credentials(), "gpt-5-mini")


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [{"object": "list"}, {"object": "response", "status": "queued"}, {"object": "model"}])
async def test_what_is_no_answer_to_a_probe_of_a_model_is_not_believed(body):
    async with client_of(says(whole(body))) as (client, server):
        with pytest.raises(errors.UpstreamInvalid, match="body_invalid"):
            await client.show_model(server.base_url, credentials(), "gpt-5-mini")
    async with client_of(says(whole(body))) as (client, server):
        with pytest.raises(errors.UpstreamInvalid, match="body_invalid"):
            await client.shortest_answer(server.base_url, credentials(), "gpt-5-mini")
