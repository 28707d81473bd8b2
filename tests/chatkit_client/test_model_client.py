"""The client for model runs: judged by what an upstream of raw bytes sees, and by what its errors hold."""

import asyncio
import json
import traceback

import pytest

from chatkit_client.credentials import Credentials
from chatkit_client.errors import (
    BillingBlocked,
    ChatKitError,
    KeyRejected,
    ModelMissing,
    Reason,
    RequestRefused,
    Throttled,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from chatkit_client.model_client import ModelClients
from encryption.secret import Secret

pytestmark = pytest.mark.asyncio

KEY = "-".join(("sk", "test", "0123456789abcdefghij"))
SAID = "the-visitor-hides-a-xylophone"
COMPLETED = {"type": "response.completed", "sequence_number": 1, "response": {"id": "resp_1", "output": []}}


class Upstream:
    """Answers every connection with the same bytes, and keeps the heads and bodies that it was sent."""

    def __init__(self, answer):
        self.answer, self.heads, self.bodies, self.connections = answer, [], [], 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                writer.write(self.answer)
                await writer.drain()
                if b"chunked" not in self.answer or not self.answer.endswith(b"0\r\n\r\n"):
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def stream(*events, more_head="", end=True, status="200 OK"):
    body = "".join(event if isinstance(event, str) else f"data: {json.dumps(event)}\n\n" for event in events).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n{more_head}\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return head.encode() + chunk + (b"0\r\n\r\n" if end else b"")


def refusal(status, code, *, more_head=""):
    body = json.dumps({"error": {"message": f"{KEY} {SAID}", "type": "x", "param": None, "code": code}})
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{more_head}\r\n"
    return (head + body).encode()


async def run(upstream, *, organization="", project="", times=1, **limits):
    async with ModelClients(allowed_base_urls=[upstream.base_url], **limits) as clients:
        credentials = Credentials(Secret(KEY), organization, project)
        for _ in range(times):
            client = clients.of(upstream.base_url, credentials)
            events = [event async for event in await client.responses.create(model="m", input=SAID, stream=True)]
    return events


async def fails(answer, **limits):
    async with Upstream(answer) as upstream:
        with pytest.raises(ChatKitError) as caught:
            await run(upstream, **limits)
    return caught.value


def texts_of(error):
    """What a log or a debugger could print: the chain, the attributes, local variables below the test's own frames."""
    parts = []
    link = error
    while link is not None:
        parts += [repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or link.__context__
    return "\n".join([*parts, *traceback.format_exception(error)])


async def test_nothing_of_the_environment_is_sent_and_nothing_of_it_is_followed(monkeypatch):
    for name, value in {
        "OPENAI_API_KEY": "operator",
        "OPENAI_ORG_ID": "org-operator",
        "OPENAI_PROJECT_ID": "proj-operator",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer operator\nX-Operator: 1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "HTTPS_PROXY": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)

    async with Upstream(stream(COMPLETED)) as upstream:
        await run(upstream)
        await run(upstream, organization="org-mine", project="proj_mine")

    without, own = upstream.heads
    assert f"authorization: bearer {KEY}" in without
    assert "operator" not in without + own
    assert "openai-organization" not in without
    assert "openai-project" not in without
    assert "openai-organization: org-mine" in own
    assert "openai-project: proj_mine" in own
    assert "accept-encoding: identity" in own


async def test_a_copy_of_a_client_still_reads_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-operator")
    async with ModelClients(allowed_base_urls=["https://api.openai.com/v1"]) as clients:
        client = clients.of("https://api.openai.com/v1/", Credentials(Secret(KEY)))

        assert client.with_options(max_retries=0).organization is None
        assert KEY not in repr(client)


async def test_cookies_of_one_tenant_are_never_sent_with_the_next(monkeypatch):
    async with Upstream(stream(COMPLETED, more_head="Set-Cookie: account=1; Path=/\r\n")) as upstream:
        await run(upstream, times=2)

    assert len(upstream.heads) == 2
    assert "cookie" not in upstream.heads[1]


async def test_a_connection_is_used_again_after_a_completed_answer():
    async with Upstream(stream(COMPLETED)) as upstream:
        await run(upstream, times=3)

    assert (len(upstream.heads), upstream.connections) == (3, 1)


async def test_an_address_outside_the_allow_list_gets_nothing():
    async with ModelClients(allowed_base_urls=["https://api.openai.com/v1"]) as clients:
        with pytest.raises(ValueError, match="OPENAI_BASE_URLS"):
            clients.of("https://evil.example/v1", Credentials(Secret(KEY)))


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (401, "invalid_api_key", KeyRejected, Reason.INVALID_KEY),
        (401, None, KeyRejected, Reason.KEY_UNAUTHORISED),
        (404, "model_not_found", ModelMissing, Reason.MODEL_MISSING),
        (403, "model_not_found", ModelMissing, Reason.MODEL_MISSING),
        (429, "insufficient_quota", BillingBlocked, Reason.BILLING),
        (429, "rate_limit_exceeded", Throttled, Reason.THROTTLED),
        (400, "context_length_exceeded", RequestRefused, Reason.REQUEST_REFUSED),
        (500, None, UpstreamUnavailable, Reason.SERVER_ERROR),
        (302, None, UpstreamInvalid, Reason.REDIRECTED),
    ],
)
async def test_a_refusal_is_told_by_status_and_code_and_holds_no_foreign_word(status, code, kind, reason):
    error = await fails(refusal(status, code, more_head="Location: http://127.0.0.1:1/\r\nRetry-After: 7\r\n"))

    assert (type(error), error.reason, error.status) == (kind, reason, status)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert KEY not in texts_of(error)
    assert SAID not in texts_of(error)


async def test_an_id_or_a_code_that_repeats_the_key_is_dropped():
    named = KEY.removeprefix("sk-test-")
    error = await fails(refusal(401, named, more_head=f"x-request-id: {KEY}\r\n"))

    assert (error.code, error.request_id) == (None, None)


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (stream({"type": "response.created", "response": {}}), UpstreamInvalid, Reason.TRUNCATED),
        (stream({"type": "response.created", "response": {}}, end=False), UpstreamUnavailable, Reason.RESET),
        (stream('data: {"type": "hal\n\n'), UpstreamInvalid, Reason.BODY_INVALID),
        (stream({"no": "type"}), UpstreamInvalid, Reason.BODY_INVALID),
        (stream("<html>busy</html>"), UpstreamInvalid, Reason.TRUNCATED),
        (
            stream({"type": "response.failed", "response": {"error": {"code": "server_error", "message": SAID}}}),
            UpstreamUnavailable,
            Reason.SERVER_ERROR,
        ),
        (stream({"type": "error", "code": "rate_limit_exceeded", "message": SAID}), Throttled, Reason.THROTTLED),
        (stream({"error": {"code": "insufficient_quota", "message": SAID}}), BillingBlocked, Reason.BILLING),
        (stream({"type": "response.incomplete", "response": {"output": []}}), UpstreamInvalid, Reason.TRUNCATED),
        (stream(COMPLETED, more_head="Content-Encoding: gzip\r\n"), UpstreamInvalid, Reason.CONTENT_ENCODING),
        (b"not http at all\r\n\r\n", UpstreamUnavailable, Reason.RESET),
    ],
)
async def test_a_stream_that_ends_badly_is_told_by_how_it_ends(answer, kind, reason):
    error = await fails(answer)

    assert (type(error), error.reason) == (kind, reason)
    assert error.__context__ is None
    assert SAID not in texts_of(error)


async def test_an_answer_that_reached_its_longest_is_an_answer():
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [], "status": "incomplete"}
    async with Upstream(stream({"type": "response.incomplete", "response": {"output": [message]}})) as upstream:
        [event] = await run(upstream)

    assert event.type == "response.completed"


@pytest.mark.parametrize(("drips", "limits"), [(False, {"idle_seconds": 0.3}), (True, {"total_seconds": 0.6})])
async def test_silence_and_a_drip_each_have_their_end(drips, limits):
    async def keep_open(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(stream({"type": "response.created", "response": {}}, end=False))
        try:
            while not writer.is_closing():
                await asyncio.sleep(0.1)
                if drips:
                    writer.write(b"3\r\n:\n\n\r\n")
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(keep_open, "127.0.0.1", 0)
    upstream = Upstream(b"")
    upstream.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    with pytest.raises(UpstreamUnavailable) as caught:
        await run(upstream, **limits)
    server.close()

    assert caught.value.reason is Reason.DEADLINE


async def test_a_flood_ends_at_its_size():
    error = await fails(stream(": " + "x" * 5000 + "\n\n", COMPLETED), max_stream=4000)

    assert error.reason is Reason.OVERSIZED


async def test_a_closed_port_is_told_as_no_connection():
    upstream = Upstream(b"")
    upstream.base_url = "http://127.0.0.1:1/v1"
    with pytest.raises(UpstreamUnavailable) as caught:
        await run(upstream)

    assert caught.value.reason is Reason.CONNECT_FAILED
