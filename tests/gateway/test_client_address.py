"""W7: whose word on the client's address and scheme is believed."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from gateway.client_address import Client, address_of, canonical, client_of, network_of
from gateway.middleware import ClientAddressMiddleware

PEER = "10.0.0.1"


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "address"),
    [
        (0, "", PEER),
        (0, "203.0.113.7", PEER),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (1, "made-up, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "", PEER),
        (1, "unknown", PEER),
        (1, "_hidden", PEER),
        (1, "203.0.113.7:50000", "203.0.113.7"),
        (1, "[2001:db8::7]:50000", "2001:db8::7"),
        (1, "2001:DB8:0:0::7", "2001:db8::7"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
        (1, "203.0.113.7,", PEER),
        (1, "1.2.3", PEER),
        (1, "0x7f000001", PEER),
    ],
)
def test_the_nth_entry_from_the_right_is_the_client(trusted: int, forwarded_for: str, address: str) -> None:
    client = client_of(peer=PEER, scheme="http", forwarded_for=forwarded_for, forwarded_proto="", trusted=trusted)

    assert client.address == address


@pytest.mark.parametrize(
    ("trusted", "scheme", "forwarded_proto", "is_secure"),
    [
        (0, "http", "https", False),
        (0, "https", "", True),
        (0, "https", "http", True),
        (1, "http", "https", True),
        (1, "http", "HTTPS", True),
        (1, "http", "http", False),
        (1, "https", "http", False),
        (1, "http", "", False),
        (1, "http", "http, https", True),
        (1, "http", "https, http", False),
        (2, "http", "https, http", True),
    ],
)
def test_the_scheme_is_what_the_outermost_trusted_proxy_saw(
    trusted: int, scheme: str, forwarded_proto: str, is_secure: bool
) -> None:
    client = client_of(peer=PEER, scheme=scheme, forwarded_for="", forwarded_proto=forwarded_proto, trusted=trusted)

    assert client.is_secure is is_secure


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", "")],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("text", ["", "nonsense", "256.1.1.1", "203.0.113.7/24", "[", "::1%eth0%", "a:b", "\x00"])
def test_what_is_no_address_is_empty_and_no_error(text: str) -> None:
    assert canonical(text) in {"", "::1"}


def test_the_stock_door_sees_the_true_client_and_scheme(rf: RequestFactory, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Request-ID": "chosen-by-the-client"}
    response = ClientAddressMiddleware(view)(rf.get("/admin/", headers=headers))

    [request] = seen
    assert request.META["REMOTE_ADDR"] == "203.0.113.7"
    assert request.is_secure()
    assert address_of(request) == "203.0.113.7"
    assert request.client == Client("203.0.113.7", True)
    assert response["X-Request-ID"] == request.request_id != "chosen-by-the-client"


def test_a_forged_header_changes_nothing_without_a_proxy(rf: RequestFactory, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    request = rf.get("/admin/", headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"})

    assert address_of(request) == "127.0.0.1"
    assert not client_of(
        peer="127.0.0.1", scheme="http", forwarded_for="", forwarded_proto="https", trusted=0
    ).is_secure
