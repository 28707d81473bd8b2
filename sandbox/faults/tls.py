"""Faults of TLS (U6): a name for each certificate or protocol that a client must refuse.

Needs `trustme`, which only the tests install.

with running_tls_fault("expired") as (base_url, ca):
    …                         # trust `ca` and nothing else: the refusal is then due to the fault alone
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import trustme

from sandbox.faults.server import running_faults
from sandbox.faults.sockets import blunt_server

# A handshake record that promises 74 bytes and ends after nine.
CUT_SERVER_HELLO = b"\x16\x03\x03\x00\x4a\x02\x00\x00\x46"
TLS_FAULTS = (
    "ok",
    "expired",
    "not_yet_valid",
    "wrong_host",
    "self_signed",
    "unknown_authority",
    "tls_1_0",
    "tls_1_1",
    "truncated_handshake",
    "plain_http",
)


@contextmanager
def running_tls_fault(name: str) -> Iterator[tuple[str, trustme.CA]]:
    """Yields a base URL on 127.0.0.1 and the authority that a client should trust."""
    trusted = trustme.CA()
    if name == "truncated_handshake":
        with blunt_server(CUT_SERVER_HELLO) as base_url:
            yield base_url, trusted
    elif name == "plain_http":
        with blunt_server(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") as base_url:
            yield base_url, trusted
    else:
        with running_faults(tls=_context(name, trusted)) as faults:
            yield faults.base_url("ok"), trusted


def _context(name: str, trusted: trustme.CA) -> ssl.SSLContext:
    now = datetime.now(UTC)
    day = timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    match name:
        case "ok" | "tls_1_0" | "tls_1_1":
            certificate = trusted.issue_cert("127.0.0.1")
        case "expired":
            certificate = trusted.issue_cert("127.0.0.1", not_before=now - 30 * day, not_after=now - day)
        case "not_yet_valid":
            certificate = trusted.issue_cert("127.0.0.1", not_before=now + day, not_after=now + 30 * day)
        case "wrong_host":
            certificate = trusted.issue_cert("api.example.com")
        case "self_signed" | "unknown_authority":
            certificate = trustme.CA().issue_cert("127.0.0.1")
        case _:
            raise KeyError(f"no TLS fault is called {name!r}: {', '.join(TLS_FAULTS)}")
    certificate.configure_cert(context)
    if name in ("tls_1_0", "tls_1_1"):
        _age(context, ssl.TLSVersion.TLSv1 if name == "tls_1_0" else ssl.TLSVersion.TLSv1_1)
    return context


def _age(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Lets OpenSSL speak a protocol that it refuses by default, so that the refusal is the client's."""
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # That it is deprecated is the point.
        context.minimum_version = context.maximum_version = version
