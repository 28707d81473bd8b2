"""Explains whom the platform takes for the caller of one request, and warns where TRUSTED_PROXY_COUNT looks wrong."""

import ipaddress
from dataclasses import dataclass
from typing import Final

from gateway.client_address import Client, canonical, client_of, network_of

_INNER: Final = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of X-Forwarded-For, as it was received; `meaning` says who wrote it, or that anybody may have."""

    text: str
    is_taken: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`network` is what a limit per address counts as one caller; `why` says in a sentence where the address is from."""

    client: Client
    network: str
    entries: tuple[Entry, ...]
    why: str
    warnings: tuple[str, ...]


def diagnose(*, peer: str, scheme: str, forwarded_for: str, forwarded_proto: str, trusted: int) -> Diagnosis:
    """From the connection's `peer` and `scheme` and the forwarding headers as received; decides as `client_of` does."""
    client = client_of(
        peer=peer, scheme=scheme, forwarded_for=forwarded_for, forwarded_proto=forwarded_proto, trusted=trusted
    )
    texts = [text.strip() for text in forwarded_for.split(",")] if forwarded_for else []
    taken = max(len(texts) - trusted, 0) if trusted > 0 and texts else None
    if taken is not None and not canonical(texts[taken]):
        taken = None
    return Diagnosis(
        client=client,
        network=network_of(client.address),
        entries=tuple(
            Entry(text, index == taken, _meaning(index, len(texts), trusted)) for index, text in enumerate(texts)
        ),
        why=_why(texts, trusted, taken),
        warnings=tuple(_warnings(client, canonical(peer), texts, forwarded_proto, trusted, taken)),
    )


def _meaning(index: int, entries: int, trusted: int) -> str:
    from_the_right = entries - index
    if trusted <= 0:
        return "not read"
    if from_the_right > trusted:
        return "the caller's own claim: not believed"
    if from_the_right == trusted or index == 0:
        return "the address that your outermost proxy saw"
    return "one of your proxies"


def _why(texts: list[str], trusted: int, taken: int | None) -> str:
    if trusted <= 0:
        return "TRUSTED_PROXY_COUNT is 0, so the address is that of the connection and no header is read."
    if taken is not None:
        return f"TRUSTED_PROXY_COUNT is {trusted}, so the address is entry {len(texts) - taken} from the right."
    if not texts:
        return "There is no X-Forwarded-For, so the address is that of the connection."
    return "The entry that counts is no IP address, so the address is that of the connection."


def _warnings(
    client: Client, peer: str, texts: list[str], forwarded_proto: str, trusted: int, taken: int | None
) -> list[str]:
    found: list[str] = []
    has_headers = bool(texts or forwarded_proto)
    if trusted <= 0 and has_headers and _is_inner(peer):
        found.append(
            "A proxy seems to stand in front: the connection comes from an inner address and carries forwarding headers. With "
            "TRUSTED_PROXY_COUNT=0 all visitors share the proxy's address and its limit. Set it to the number of your proxies."
        )
    elif trusted <= 0 and has_headers:
        found.append(
            "Forwarding headers came and were not read. That is right if no proxy of yours stands in front: callers make such "
            "headers up."
        )
    if trusted > 0 and not texts:
        found.append(
            "TRUSTED_PROXY_COUNT says that a proxy stands in front, but no X-Forwarded-For came: either this request went "
            "round the proxy, or the proxy does not send it."
        )
    if 0 < len(texts) < trusted:
        found.append(
            f"X-Forwarded-For has {len(texts)} of the {trusted} entries that TRUSTED_PROXY_COUNT expects: this request passed "
            "fewer proxies, or the count is too high. Too high, and callers can make addresses up."
        )
    if texts and trusted > 0 and taken is None:
        found.append("The entry of X-Forwarded-For that counts is no IP address: the proxy does not write one.")
    if trusted > 0 and taken is not None and taken > 0 and _is_inner(client.address):
        found.append(
            "The address that was taken is an inner one, and others stand left of it: TRUSTED_PROXY_COUNT may be too low. "
            "Unless you sit in the same network as the server, compare it with the address of your own computer."
        )
    if trusted > 0 and not forwarded_proto:
        found.append(
            "No X-Forwarded-Proto came: requests over https look like plain http, which is refused where https is required."
        )
    if not client.address:
        found.append(
            "There is no address at all (a Unix socket without a proxy's header): all callers share one limit."
        )
    return found


def _is_inner(address: str) -> bool:
    """Whether proxies stand there: loopback, private, link-local, shared, or none at all (a Unix socket)."""
    if not address:
        return True
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in _INNER)
