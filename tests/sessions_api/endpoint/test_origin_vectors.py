"""O1 over raw HTTP: the 272 headers of the origin vectors, byte for byte on the wire, against a running server."""

import json
from pathlib import Path

import pytest

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from tenants.domains import allow_domain
from tenants.models import AllowedDomain
from tests.platform_server import Platform, session_path
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop, open_shop

VECTORS = json.loads((Path(__file__).parents[2] / "tenants" / "origin-vectors.json").read_text())
# Refused by the function, allowed on the wire: blanks and tabs around a field value are no part of it (RFC 9110, 5.5),
# so the parser hands on `https://example.com`.
TRIMMED_TO_AN_ALLOWED_ORIGIN = {"\thttps://example.com", " " * 8000 + "https://example.com"}


@pytest.fixture
def listed(same_site: None, sandbox: Sandbox) -> Shop:
    shop = open_shop(sandbox)
    AllowedDomain.objects.all().delete()
    for rule in VECTORS["rules"]:
        allow_domain(tenant=shop.tenant, text=rule, actor=SYSTEM, allow_http=True)
    return shop


@pytest.mark.proof("O1")
def test_every_vector_on_the_wire(platform: Platform, listed: Shop, sandbox: Sandbox, proof: Proof) -> None:
    wrong = []

    for case in VECTORS["cases"]:
        expected = case["expect"] == "allow" or case["header"] in TRIMMED_TO_AN_ALLOWED_ORIGIN
        if _is_allowed(platform, listed, case["header"]) is not expected:
            wrong.append((case["header"][:80], case["expect"], case["why"]))

    proof.record(vectors=len(VECTORS["cases"]), wrong=len(wrong), trimmed=len(TRIMMED_TO_AN_ALLOWED_ORIGIN))
    assert len(VECTORS["cases"]) == 272
    assert wrong == []
    assert sandbox.creates() == []


@pytest.mark.proof("O1")
def test_the_vectors_that_differ_are_vectors() -> None:
    refused = {case["header"] for case in VECTORS["cases"] if case["expect"] == "deny"}

    assert refused >= TRIMMED_TO_AN_ALLOWED_ORIGIN


def _is_allowed(platform: Platform, shop: Shop, origin: str) -> bool:
    """Whether a preflight with this header is granted; what the parser rejects counts as refused."""
    answer = platform.send_raw(
        b"OPTIONS " + session_path(shop.public_id).encode() + b" HTTP/1.1\r\n"
        b"Host: 127.0.0.1\r\n"
        b"Access-Control-Request-Method: POST\r\n"
        b"Connection: close\r\n"
        b"Origin: " + origin.encode("utf-8", "surrogateescape") + b"\r\n\r\n"
    )
    status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/1.1 ") else b""
    assert not status.startswith(b"5"), (origin[:80], answer[:200])
    return status == b"204"
