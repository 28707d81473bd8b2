"""What is sent, where to, and under which environment."""

import asyncio
import json

import pytest

from chatkit_client import calls
from chatkit_client.base_urls import checked_base_url
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import KeyRejected, Reason, UpstreamUnavailable
from chatkit_client.transport import Credentials, Transport
from tests.chatkit_client.cast import Key, client_of, credentials, make_key, mint
from tests.chatkit_client.upstream import GOOD, good, says, upstream, whole


@pytest.mark.asyncio
async def test_a_mint_sends_openais_headers_and_nothing_that_tells_about_us():
    key = make_key()
    async with client_of(good) as (client, server):
        given = credentials(key, organization="org-1", project="proj_1")
        await client.create_session(
            server.base_url, given, user="u", settings=calls.SessionSettings(workflow_id="wf_1")
        )

    seen = server.seen[0]
    names = {line.partition(":")[0].lower() for line in seen.head.split("\r\n")[1:] if line}
    assert seen.head.startswith("POST /v1/chatkit/sessions HTTP/1.1\r\n")
    assert seen.header("authorization") == f"Bearer {key}"
    assert seen.header("openai-beta") == "chatkit_beta=v1"
    assert seen.header("openai-organization") == "org-1"
    assert seen.header("openai-project") == "proj_1"
    assert seen.header("accept-encoding") == "identity"
    assert seen.header("content-type") == "application/json"
    assert names == {
        "host", "authorization", "openai-beta", "openai-organization", "openai-project", "accept", "accept-encoding",
        "content-type", "content-length", "user-agent",
    }  # fmt: skip
    assert json.loads(seen.body)["user"] == "u"


@pytest.mark.asyncio
async def test_organization_project_and_beta_are_sent_only_where_wanted():
    async with upstream(good) as server, Transport(allowed_base_urls=[server.base_url + "/"]) as transport:
        answer = await transport.send(server.base_url + "/", credentials(), calls.Call("GET", "/models", beta=False))

    assert answer.status == 200
    assert server.seen[0].target == "/v1/models"
    for name in ("openai-beta", "openai-organization", "openai-project"):
        assert server.seen[0].header(name) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/models\r\nX-Evil: 1", "/models HTTP/1.1", "/mod\u00e8les"])
async def test_a_path_that_is_not_quoted_is_a_defect_and_is_not_sent(path):
    async with upstream(good) as server, Transport(allowed_base_urls=[server.base_url]) as transport:
        with pytest.raises(ValueError, match="quoted"):
            await transport.send(server.base_url, credentials(), calls.Call("GET", path))

    assert server.seen == []


@pytest.mark.asyncio
async def test_no_key_leaves_for_an_address_outside_the_allow_list():
    async with upstream(good) as server, Transport(allowed_base_urls=["https://api.openai.com/v1"]) as transport:
        with pytest.raises(ValueError, match="OPENAI_BASE_URLS"):
            await transport.send(server.base_url, credentials(), calls.read_probe())

    assert server.connections == 0


@pytest.mark.parametrize(
    ("entry", "cure"),
    [
        ("http://api.openai.com/v1", "Use https"),
        ("http://10.0.0.1/v1", "Use https"),
        ("http://localhost.evil.example/v1", "Use https"),
        ("ftp://127.0.0.1/v1", "Write it like"),
        ("api.openai.com/v1", "Write it like"),
        ("https:///v1", "Write it like"),
        ("https://user:hunter2@api.openai.com/v1", "Leave it out"),
        ("https://api.openai.com/v1?x=1", "Leave it out"),
        ("https://api.openai.com/v1#x", "Leave it out"),
    ],
)
def test_a_base_url_that_would_give_keys_away_is_refused_with_the_cure(entry, cure):
    with pytest.raises(ValueError, match=cure) as caught:
        checked_base_url(entry)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "entry", ["https://api.openai.com/v1/", "http://127.0.0.1:8002/v1", "http://[::1]:8002/v1", "http://localhost:1/v1"]
)
def test_https_and_http_to_this_machine_are_allowed(entry):
    assert checked_base_url(entry) == entry.rstrip("/")


@pytest.mark.asyncio
async def test_a_transport_that_is_not_open_says_so():
    transport = Transport(allowed_base_urls=["http://127.0.0.1:1/v1"])

    with pytest.raises(RuntimeError, match="not open"):
        await transport.send("http://127.0.0.1:1/v1", credentials(), calls.read_probe())


@pytest.mark.asyncio
@pytest.mark.parametrize("broken", ["sk-a\r\nX-Evil: 1", "sk-a b", "", "sk-é", "sk-" + "a" * 2000, "sk-\x00"])
async def test_a_key_that_cannot_stand_in_a_header_is_an_invalid_key_and_is_not_sent(broken):
    async with client_of(good) as (client, server):
        with pytest.raises(KeyRejected) as caught:
            await client.read_probe(server.base_url, Credentials(Key(broken)))

    assert caught.value.reason is Reason.INVALID_KEY
    assert server.connections == 0


def test_an_organization_that_cannot_stand_in_a_header_is_refused():
    with pytest.raises(ValueError, match="printable ASCII"):
        credentials(organization="org-1\r\nX-Evil: 1")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"x-request-id": "req_1", "cf-ray": "8f0-AMS"}, "req_1"),
        ({"cf-ray": "8f0-AMS"}, "8f0-AMS"),
        ({"x-request-id": "r" * 65}, None),
        ({"x-request-id": "a b"}, None),
        ({"x-request-id": "\x7f\xff"}, None),
        ({}, None),
    ],
)
async def test_the_request_id_is_openais_or_cloudflares_or_nothing(sent, kept):
    async def play(_seen, writer):
        head, _, body = whole(GOOD).partition(b"\r\n\r\n")
        extra = b"".join(f"\r\n{name}: {value}".encode("latin-1") for name, value in sent.items())
        writer.write(head + extra + b"\r\n\r\n" + body)

    async with client_of(play) as (client, server):
        created = await mint(client, server)

    assert created.request_id == kept


@pytest.mark.asyncio
async def test_a_caller_who_leaves_is_not_taken_for_a_deadline():
    async def silent(_seen, _writer):
        await asyncio.sleep(30)

    async with client_of(silent) as (client, server):
        task = asyncio.create_task(mint(client, server))
        while not server.seen:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.proof("U9")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
async def test_a_proxy_of_the_environment_sees_nothing(monkeypatch, name):
    async with upstream(good) as proxy, client_of(good) as (client, server):
        monkeypatch.setenv(name, proxy.base_url)
        monkeypatch.setenv(name.lower(), proxy.base_url)
        await mint(client, server)

    assert (proxy.connections, len(server.seen)) == (0, 1)


@pytest.mark.proof("U9")
@pytest.mark.asyncio
async def test_a_netrc_entry_does_not_replace_the_key(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    key = make_key()

    async with client_of(good) as (client, server):
        await mint(client, server, key)

    assert server.seen[0].header("authorization") == f"Bearer {key}"


@pytest.mark.asyncio
async def test_cookies_of_one_answer_are_not_sent_with_the_next_call():
    async with client_of(says(whole(GOOD, set_cookie="__cf_bm=1; Path=/"))) as (client, server):
        await mint(client, server)
        await mint(client, server)

    assert [seen.header("cookie") for seen in server.seen] == [None, None]


@pytest.mark.proof("U1")
@pytest.mark.asyncio
async def test_a_refused_connection_is_unavailable():
    async with upstream(good) as server:
        pass
    async with Transport(allowed_base_urls=[server.base_url]) as transport:
        with pytest.raises(UpstreamUnavailable) as caught:
            await mint(ChatKitClient(transport), server)

    assert caught.value.reason is Reason.CONNECT_FAILED
    assert caught.value.fault == "ClientConnectorError"
