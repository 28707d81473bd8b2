"""U6, and what of U9 touches certificates: a doubtful certificate is refused, whatever the environment says."""

import asyncio
import contextlib
import datetime
import ssl
import warnings

import pytest
import trustme

from chatkit_client.client import ChatKitClient
from chatkit_client.errors import Reason, UpstreamUnavailable
from chatkit_client.transport import Transport
from tests.chatkit_client.cast import mint
from tests.chatkit_client.upstream import Upstream, good, upstream


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@contextlib.asynccontextmanager
async def tls_client(context, ca_file=None):
    async with (
        upstream(good, tls=context) as server,
        Transport(allowed_base_urls=[server.base_url], ca_file=ca_file) as transport,
    ):
        yield ChatKitClient(transport), server


async def refusal(context, ca_file=None):
    async with tls_client(context, ca_file) as (client, server):
        with pytest.raises(UpstreamUnavailable) as caught:
            await mint(client, server)
    assert server.seen == []
    return caught.value


@pytest.mark.asyncio
async def test_a_thousand_calls_cost_at_most_twenty_handshakes_once_warm(authority, ca_file):
    async with tls_client(server_context(authority.issue_cert("127.0.0.1")), ca_file) as (client, server):

        async def visit(times):
            for _ in range(times):
                await mint(client, server)

        await asyncio.gather(*(visit(2) for _ in range(16)))
        warm = server.connections
        await asyncio.gather(*(visit(64) for _ in range(16)))

    assert len(server.seen) == 16 * 66
    assert warm <= 16
    assert server.connections - warm <= 20


@pytest.mark.proof("U6")
@pytest.mark.asyncio
@pytest.mark.parametrize("fault", ["expired", "not yet valid", "another host", "unknown authority"])
async def test_a_doubtful_certificate_is_refused_before_the_key_is_sent(authority, ca_file, fault, caplog):
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = {
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=now - day),
        "not yet valid": lambda: authority.issue_cert("127.0.0.1", not_before=now + day, not_after=now + 2 * day),
        "another host": lambda: authority.issue_cert("api.openai.com"),
        "unknown authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
    }[fault]()

    error = await refusal(server_context(certificate), ca_file)

    assert error.reason is Reason.TLS_FAILED
    assert [record.levelname for record in caplog.records if record.name.startswith("chatkit_client")] == ["WARNING"]


@pytest.mark.proof("U6")
@pytest.mark.asyncio
async def test_a_private_authority_is_not_trusted_unless_it_is_given(authority):
    error = await refusal(server_context(authority.issue_cert("127.0.0.1")))

    assert error.reason is Reason.TLS_FAILED


@pytest.mark.proof("U6")
@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
async def test_an_old_version_of_tls_is_refused(authority, ca_file, version):
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[version]

    error = await refusal(context, ca_file)

    assert error.reason in (Reason.TLS_FAILED, Reason.CONNECT_FAILED)


@pytest.mark.asyncio
@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x03\x00\x40\x02", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_handshake_that_breaks_off_is_refused(hello):
    async def half_a_handshake(reader, writer):
        await reader.read(16)
        writer.write(hello)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half_a_handshake, "127.0.0.1", 0)
    base_url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, Transport(allowed_base_urls=[base_url]) as transport:
        with pytest.raises(UpstreamUnavailable) as caught:
            await mint(ChatKitClient(transport), Upstream(int(base_url.split(":")[2][:-3]), "https"))

    assert caught.value.reason in (Reason.TLS_FAILED, Reason.CONNECT_FAILED)


@pytest.mark.proof("U6")
@pytest.mark.asyncio
async def test_a_handshake_that_stalls_ends_with_the_connection_timeout():
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    base_url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server, Transport(allowed_base_urls=[base_url], connect_timeout=0.3) as transport:
        with pytest.raises(UpstreamUnavailable) as caught:
            await mint(ChatKitClient(transport), Upstream(int(base_url.split(":")[2][:-3]), "https"))

    assert caught.value.reason is Reason.CONNECT_FAILED
    assert caught.value.latency_ms < 800


@pytest.mark.proof("U6")
@pytest.mark.asyncio
async def test_a_certificate_that_turns_bad_is_noticed_on_the_next_connection(authority, ca_file):
    context = server_context(authority.issue_cert("127.0.0.1"))
    async with tls_client(context, ca_file) as (client, server):
        await mint(client, server)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        await mint(client, server)
        for connections in client._transport._pool._conns.values():
            for handler, _ in connections:
                handler.abort()
        with pytest.raises(UpstreamUnavailable) as caught:
            await mint(client, server)

    assert caught.value.reason is Reason.TLS_FAILED
    assert len(server.seen) == 2


@pytest.mark.proof("U9")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_an_authority_planted_in_the_environment_is_not_trusted(authority, ca_file, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, str(tmp_path) if name.endswith("DIR") else ca_file)

    error = await refusal(server_context(authority.issue_cert("127.0.0.1")))

    assert error.reason is Reason.TLS_FAILED


@pytest.mark.proof("U9")
@pytest.mark.asyncio
async def test_session_keys_are_not_written_where_the_environment_says(authority, ca_file, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))

    async with tls_client(server_context(authority.issue_cert("127.0.0.1")), ca_file) as (client, server):
        await mint(client, server)

    assert not (tmp_path / "keys").exists()
