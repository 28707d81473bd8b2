"""W7: what the diagnostics page says of a request's way through proxies, as a table."""

import pytest

from gateway.address_diagnosis import Diagnosis, diagnose
from gateway.client_address import client_of

PROXY, PUBLIC = "10.0.0.1", "198.51.100.9"


def of(
    forwarded_for: str = "", *, trusted: int, peer: str = PROXY, scheme: str = "http", proto: str = "https"
) -> Diagnosis:
    return diagnose(peer=peer, scheme=scheme, forwarded_for=forwarded_for, forwarded_proto=proto, trusted=trusted)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded_for", "proto", "address", "warned"),
    [
        # No proxy.
        (0, PUBLIC, "", "", PUBLIC, ()),
        (0, "127.0.0.1", "", "", "127.0.0.1", ()),
        (0, PUBLIC, "203.0.113.7", "", PUBLIC, ("were not read",)),
        (0, PUBLIC, "", "https", PUBLIC, ("were not read",)),
        # A proxy that nobody has told of.
        (0, PROXY, "203.0.113.7", "", PROXY, ("A proxy seems to stand in front",)),
        (0, "127.0.0.1", "203.0.113.7", "https", "127.0.0.1", ("A proxy seems to stand in front",)),
        (0, "::1", "203.0.113.7", "https", "::1", ("A proxy seems to stand in front",)),
        (0, "fe80::1", "203.0.113.7", "https", "fe80::1", ("A proxy seems to stand in front",)),
        (0, "", "203.0.113.7", "https", "", ("A proxy seems to stand in front", "no address at all")),
        # As it should be.
        (1, PROXY, "203.0.113.7", "https", "203.0.113.7", ()),
        (1, PROXY, "9.9.9.9, 203.0.113.7", "https", "203.0.113.7", ()),
        (1, PROXY, "2001:db8::7", "https", "2001:db8::7", ()),
        (2, PROXY, "203.0.113.7, 10.0.0.2", "https", "203.0.113.7", ()),
        (3, PROXY, "9.9.9.9, 203.0.113.7, 10.0.0.3, 10.0.0.2", "https", "203.0.113.7", ()),
        # One that sits beside the server, alone in the list.
        (1, PROXY, "192.168.1.20", "https", "192.168.1.20", ()),
        # Too low.
        (1, PROXY, "203.0.113.7, 10.0.0.2", "https", "10.0.0.2", ("may be too low",)),
        (1, PROXY, "203.0.113.7, ::1", "https", "::1", ("may be too low",)),
        # Too high, or round the proxy.
        (2, PROXY, "203.0.113.7", "https", "203.0.113.7", ("has 1 of the 2 entries",)),
        (3, PROXY, "203.0.113.7, 10.0.0.2", "https", "203.0.113.7", ("has 2 of the 3 entries",)),
        (1, PUBLIC, "", "https", PUBLIC, ("no X-Forwarded-For came",)),
        (1, PUBLIC, "", "", PUBLIC, ("no X-Forwarded-For came", "No X-Forwarded-Proto came")),
        # What is no address.
        (1, PROXY, "unknown", "https", PROXY, ("is no IP address",)),
        (1, PROXY, "203.0.113.7,", "https", PROXY, ("is no IP address",)),
        (1, "", "unknown", "https", "", ("is no IP address", "no address at all")),
        # No scheme.
        (1, PROXY, "203.0.113.7", "", "203.0.113.7", ("No X-Forwarded-Proto came",)),
    ],
)
def test_each_way_through_proxies_is_warned_of_what_is_wrong_and_of_nothing_else(
    trusted: int, peer: str, forwarded_for: str, proto: str, address: str, warned: tuple[str, ...]
) -> None:
    found = of(forwarded_for, trusted=trusted, peer=peer, proto=proto)

    assert found.client.address == address
    assert found.client == client_of(
        peer=peer, scheme="http", forwarded_for=forwarded_for, forwarded_proto=proto, trusted=trusted
    )
    assert len(found.warnings) == len(warned)
    for text, warning in zip(warned, found.warnings, strict=True):
        assert text in warning


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "meanings", "taken"),
    [
        (0, "1.1.1.1, 2.2.2.2", ["not read"] * 2, None),
        (
            1,
            "1.1.1.1, 2.2.2.2",
            ["the caller's own claim: not believed", "the address that your outermost proxy saw"],
            1,
        ),
        (2, "1.1.1.1, 2.2.2.2", ["the address that your outermost proxy saw", "one of your proxies"], 0),
        (3, "1.1.1.1, 2.2.2.2", ["the address that your outermost proxy saw", "one of your proxies"], 0),
        (1, "1.1.1.1, x", ["the caller's own claim: not believed", "the address that your outermost proxy saw"], None),
        (1, "", [], None),
    ],
)
def test_each_entry_says_who_wrote_it_and_which_was_taken(
    trusted: int, forwarded_for: str, meanings: list[str], taken: int | None
) -> None:
    entries = of(forwarded_for, trusted=trusted).entries

    assert [entry.meaning for entry in entries] == meanings
    assert [index for index, entry in enumerate(entries) if entry.is_taken] == ([] if taken is None else [taken])


@pytest.mark.parametrize(
    ("trusted", "forwarded_for", "why"),
    [
        (0, "1.1.1.1", "TRUSTED_PROXY_COUNT is 0"),
        (1, "1.1.1.1, 2.2.2.2", "entry 1 from the right"),
        (2, "1.1.1.1, 2.2.2.2", "entry 2 from the right"),
        (3, "1.1.1.1, 2.2.2.2", "entry 2 from the right"),
        (1, "", "There is no X-Forwarded-For"),
        (1, "x", "is no IP address"),
    ],
)
def test_it_says_where_the_address_is_from(trusted: int, forwarded_for: str, why: str) -> None:
    assert why in of(forwarded_for, trusted=trusted).why


def test_what_is_limited_as_one_and_the_scheme_are_told() -> None:
    found = of("2001:db8:1:2:3::4", trusted=1)

    assert (found.network, found.client.is_secure) == ("2001:db8:1:2::/64", True)
    assert of("203.0.113.7", trusted=1, proto="http").client.is_secure is False
    assert of("203.0.113.7", trusted=0, peer=PUBLIC, scheme="https").client.is_secure is True
