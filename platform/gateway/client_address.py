"""Who is calling, and over which scheme: what a peer says of others is believed only as far as we trust our proxies.

With TRUSTED_PROXY_COUNT = n, the nearest n hops are ours. Each of them appended to `X-Forwarded-For` the address that it
was called from, so the n-th entry from the right is the client; whatever stands left of it, the client may have made
up. With n = 0 the headers are not read at all.
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

# "[", an IPv6 address with a zone, "]" and a port.
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Client:
    """`address` is an IP address in its shortest form, or empty where there is none (a Unix socket)."""

    address: str
    is_secure: bool


def client_of(*, peer: str, scheme: str, forwarded_for: str, forwarded_proto: str, trusted: int) -> Client:
    """The client of a request from its connection's `peer` and `scheme` and the values of the forwarding headers."""
    if trusted <= 0:
        return Client(canonical(peer), scheme == "https")
    address = canonical(_nth_from_the_right(forwarded_for, trusted)) or canonical(peer)
    proto = _nth_from_the_right(forwarded_proto, trusted).lower() or scheme
    return Client(address, proto == "https")


def address_of(request: HttpRequest) -> str:
    """The client's address of a request at either door."""
    return identify(request).address


def identify(request: HttpRequest) -> Client:
    meta = request.META
    # The stock door's middleware has written its finding here already.
    known = getattr(request, "client", None)
    if isinstance(known, Client):
        return known
    return client_of(
        peer=meta.get("REMOTE_ADDR", ""),
        scheme=request.scheme or "http",
        forwarded_for=meta.get("HTTP_X_FORWARDED_FOR", ""),
        forwarded_proto=meta.get("HTTP_X_FORWARDED_PROTO", ""),
        trusted=settings.TRUSTED_PROXY_COUNT,
    )


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """What is limited as one client: an IPv4 address, or the /64 that an IPv6 client can hop about in."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


def canonical(text: str) -> str:
    """The address in its shortest form, without port, brackets and zone; empty for anything that is none."""
    text = text.strip()
    # Longer than any address: not worth a place among the remembered ones.
    return _canonical(text) if len(text) <= LONGEST else ""


@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _nth_from_the_right(header: str, n: int) -> str:
    """Of a shorter list the leftmost: the request came in at one of our inner proxies."""
    if not header:
        return ""
    entries = header.split(",")
    return entries[-min(n, len(entries))].strip()
