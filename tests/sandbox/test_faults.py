"""Each fault does on the wire what its name says; a client that is not ours looks at the raw bytes."""

import gzip
import io
import socket
import ssl
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from sandbox.faults import FAULTS, black_hole, faults_of, refused_base_url, running_faults
from sandbox.faults.tls import TLS_FAULTS, running_tls_fault
from sandbox.keys import fingerprint_of

KEY = "sk-" + "test-" + "c0ffee" * 5
RESET = "reset"
OPEN = "open"
ENDED = "ended"
ENDLESS = ("endless_body", "endless_chunks", "huge_length", "endless_headers", "early_hints_storm")
SILENT = ("stall_before_headers", "half_close", "ok_late")


@pytest.fixture(scope="module")
def faults():
    with running_faults() as server:
        yield server


def connect(base_url):
    parts = urlsplit(base_url)
    return socket.create_connection((parts.hostname, parts.port), timeout=5)


def ask(peer, base_url):
    path = urlsplit(base_url).path + "/chatkit/sessions"
    head = f"POST {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 2\r\n\r\n"
    peer.sendall(head.encode() + b"{}")


def listen(peer, *, seconds, most=2_000_000):
    """The bytes that came, and whether the connection then was reset, had ended, or was still open."""
    got = bytearray()
    end = time.monotonic() + seconds
    while len(got) < most and (left := end - time.monotonic()) > 0:
        peer.settimeout(left)
        try:
            piece = peer.recv(65_536)
        except ConnectionResetError:
            return bytes(got), RESET
        except TimeoutError:
            break
        if not piece:
            return bytes(got), ENDED
        got += piece
    return bytes(got), OPEN


def meet(base_url, *, seconds=1.0, most=2_000_000):
    with connect(base_url) as peer:
        ask(peer, base_url)
        return listen(peer, seconds=seconds, most=most)


@pytest.mark.parametrize(
    "name", [name for name in FAULTS if name not in SILENT and not name.startswith("reset_before")]
)
def test_a_fault_says_something_or_ends_at_once(faults, name):
    got, end = meet(faults.base_url(name), seconds=5, most=1)

    assert got or end == ENDED
    assert end != RESET


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("reset_before_headers", RESET),
        ("reset_mid_headers", RESET),
        ("reset_mid_body", RESET),
        ("close_before_headers", ENDED),
        ("close_mid_headers", ENDED),
        ("close_mid_body", ENDED),
        ("stall_before_headers", OPEN),
        ("stall_mid_headers", OPEN),
        ("stall_after_headers", OPEN),
        ("stall_mid_body", OPEN),
        ("ok", OPEN),
    ],
)
def test_a_connection_ends_as_the_fault_is_called(faults, name, end):
    assert meet(faults.base_url(name), seconds=0.3)[1] == end


def test_a_half_closed_connection_still_takes_what_we_send(faults):
    base_url = faults.base_url("half_close")
    with connect(base_url) as peer:
        ask(peer, base_url)
        got, end = listen(peer, seconds=1)

        assert (got, end) == (b"", ENDED)
        peer.sendall(b"still here")


@pytest.mark.parametrize("name", ["header_drip", "body_drip"])
def test_a_drip_brings_something_at_each_read_and_never_the_whole(faults, name):
    got, end = meet(faults.base_url(name, interval=0.02), seconds=0.6)

    assert end == OPEN
    body = got.partition(b"\r\n\r\n")[2] if name == "body_drip" else got
    assert 5 <= len(body) <= 60


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_fault_goes_on_for_as_long_as_one_listens(faults, name):
    got, end = meet(faults.base_url(name), seconds=10, most=5_000_000)

    assert (len(got) >= 5_000_000, end) == (True, OPEN)


def test_the_gzip_bomb_unpacks_to_a_thousand_times_its_size(faults):
    got, _ = meet(faults.base_url("gzip_bomb"), seconds=10)
    packed = got.partition(b"\r\n\r\n")[2]

    assert len(packed) < 400_000
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        assert sum(len(block) for block in iter(lambda: file.read(1_048_576), b"")) == 200 * 1024 * 1024


def test_the_continue_storm_ends_in_a_good_answer(faults):
    got, _ = meet(faults.base_url("continue_storm"), seconds=10)

    assert got.count(b"100 Continue") == 20_000
    assert b'"client_secret"' in got


def test_a_stale_connection_answers_once_and_is_then_reset(faults):
    base_url = faults.base_url("stale_keepalive")
    with connect(base_url) as peer:
        ask(peer, base_url)
        first, still = listen(peer, seconds=0.3)
        ask(peer, base_url)
        second, end = listen(peer, seconds=1)

    assert (first.startswith(b"HTTP/1.1 200 OK"), still) == (True, OPEN)
    assert (second, end) == (b"", RESET)


def test_a_redirect_leads_to_its_target_and_tells_who_followed(faults):
    with running_faults() as elsewhere:
        got, _ = meet(faults.base_url("redirect_307", target=elsewhere.base_url("ok")))

        assert f"Location: http://127.0.0.1:{elsewhere.port}/ok/v1".encode() in got
        assert elsewhere.seen == []


@pytest.mark.parametrize("name", faults_of("K7"))
def test_a_leaking_fault_gives_the_key_back(faults, name):
    got, _ = meet(faults.base_url(name))

    assert KEY.encode() in got


def test_what_arrived_is_told_without_the_key():
    with running_faults() as server:
        meet(server.base_url("empty_object"))
        [seen] = server.seen

    assert (seen.fault, seen.method, seen.path) == ("empty_object", "POST", "/empty_object/v1/chatkit/sessions")
    assert (seen.has_authorization, seen.key) == (True, fingerprint_of(KEY))
    assert KEY not in repr(vars(seen))


def test_an_unknown_fault_is_named_in_the_error(faults):
    with pytest.raises(KeyError, match="no_such_fault"):
        faults.base_url("no_such_fault")


def test_a_stopped_server_cuts_off_whoever_is_still_being_dripped_on():
    with running_faults() as server:
        base_url = server.base_url("stall_before_headers")
        peer = connect(base_url)
        ask(peer, base_url)
        assert listen(peer, seconds=0.2) == (b"", OPEN)

    with peer:
        assert listen(peer, seconds=1)[1] in (ENDED, RESET)


def test_nothing_listens_where_refused_is_promised():
    with pytest.raises(ConnectionRefusedError):
        connect(refused_base_url())


def test_a_black_hole_swallows_the_attempt_to_connect():
    with black_hole() as base_url:
        parts = urlsplit(base_url)
        with pytest.raises(TimeoutError):
            socket.create_connection((parts.hostname, parts.port), timeout=0.5)


@pytest.mark.parametrize("name", TLS_FAULTS)
def test_only_the_faultless_handshake_succeeds(name):
    with running_tls_fault(name) as (base_url, authority):
        client = ssl.create_default_context()
        authority.configure_trust(client)
        client.minimum_version = ssl.TLSVersion.TLSv1_2
        raw = connect(base_url)
        try:
            with client.wrap_socket(raw, server_hostname="127.0.0.1") as peer:
                ask(peer, base_url)
                outcome = listen(peer, seconds=0.5)[0][:15]
        except (ssl.SSLError, ConnectionError) as error:
            outcome = type(error)
        finally:
            with suppress(OSError):
                raw.close()

    assert (outcome == b"HTTP/1.1 200 OK") is (name == "ok")


# The same faults through the sandbox's own port.


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("reset_before_headers", b"", RESET),
        ("reset_mid_body", b"HTTP/1.1 200 OK", RESET),
        ("stall_after_headers", b"HTTP/1.1 200 OK", OPEN),
        ("truncated_json", b"HTTP/1.1 200 OK", ENDED),
        ("early_hints", b"HTTP/1.1 103 Early Hints", ENDED),
        ("redirect_302", b"HTTP/1.1 302 Moved", ENDED),
        ("echo_key_body", b"HTTP/1.1 401 Unauthorized", ENDED),
    ],
)
def test_the_sandbox_plays_a_fault_for_the_next_call_only(sandbox, name, start, end):
    key = sandbox.add_key(KEY, workflows=["wf_1"])
    sandbox.fault(name, path="/v1/chatkit")

    got, ending = meet(sandbox.base_url, seconds=0.5)
    after, _ = meet(sandbox.base_url, seconds=0.3)

    assert (got[: len(start)], ending) == (start, end)
    assert b"invalid_beta" in after
    assert [call["fault"] for call in sandbox.calls()] == [name, None]
    assert sandbox.calls()[0]["key"] == fingerprint_of(key)


def test_a_fault_can_be_meant_for_one_key(sandbox):
    sandbox.add_key(KEY)
    sandbox.fault("status_500", key="sk-" + "another", count=None)

    assert b"invalid_beta" in meet(sandbox.base_url, seconds=0.3)[0]

    sandbox.fault("status_502", key=KEY)
    assert meet(sandbox.base_url, seconds=0.3)[0].startswith(b"HTTP/1.1 502")


def test_an_endless_fault_at_the_sandbox_stops_with_its_caller(sandbox):
    sandbox.fault("endless_body")

    got, _ = meet(sandbox.base_url, seconds=5, most=1_000_000)

    assert len(got) >= 1_000_000
    assert sandbox.state()["faults"] == []
