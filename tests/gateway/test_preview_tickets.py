import uuid

import pytest

from encryption.signed import sign
from gateway.preview_tickets import PREVIEW_TICKET, PreviewTicket, mint_preview_ticket, read_preview_ticket
from gateway.visitor_tokens import Visitor, mint_visitor_token

TENANT = "tn_" + "A" * 28
NOW = 1_800_000_000


def mint(slug="main"):
    return mint_preview_ticket(tenant_public_id=TENANT, assistant_slug=slug, now=NOW)


def read(ticket, *, tenant=TENANT, now=NOW):
    return read_preview_ticket(ticket, tenant_public_id=tenant, now=now)


def test_a_ticket_opens_one_assistant_of_its_tenant():
    assert read(mint()) == PreviewTicket(TENANT, "main", NOW + 300)
    assert read(mint("other_one-2")).assistant_slug == "other_one-2"


def test_a_ticket_is_what_its_specification_says():
    assert mint() == sign(PREVIEW_TICKET, NOW.to_bytes(5, "big") + b"main", context=TENANT)
    assert (PREVIEW_TICKET.version, PREVIEW_TICKET.label) == ("pt1", "preview-ticket")


def test_the_longest_slug_fits():
    assert read(mint("x" * 80)).assistant_slug == "x" * 80


def test_a_ticket_may_try_one_version():
    version = uuid.uuid4()
    ticket = mint_preview_ticket(tenant_public_id=TENANT, assistant_slug="x" * 80, now=NOW, version_id=version)

    assert read(ticket) == PreviewTicket(TENANT, "x" * 80, NOW + 300, version)
    assert len(ticket) <= PREVIEW_TICKET.max_length
    assert ticket == sign(
        PREVIEW_TICKET, NOW.to_bytes(5, "big") + b"x" * 80 + b"." + version.hex.encode(), context=TENANT
    )


@pytest.mark.parametrize("subject", [b"main.", b".", b"main.abc", b"main." + b"A" * 32, b"main." + b"a" * 33, b"a.b.c"])
def test_what_is_no_version_opens_nothing(subject):
    assert read(sign(PREVIEW_TICKET, NOW.to_bytes(5, "big") + subject, context=TENANT)) is None


@pytest.mark.proof("T7")
def test_a_ticket_does_not_count_at_another_tenant():
    assert read(mint(), tenant="tn_" + "B" * 28) is None


@pytest.mark.proof("T7")
@pytest.mark.parametrize(("age", "counts"), [(0, True), (299, True), (300, False), (-30, True), (-31, False)])
def test_a_ticket_counts_for_five_minutes(age, counts):
    assert (read(mint(), now=NOW + age) is not None) is counts


@pytest.mark.parametrize("slug", ["", "a b", "é", "x" * 81, "a.b", "a\n"])
def test_what_is_no_slug_gets_no_ticket(slug):
    with pytest.raises(ValueError, match="slug"):
        mint(slug)


@pytest.mark.proof("T7")
@pytest.mark.parametrize("ticket", ["", "pt1", "pt1.test.AAAA.AAAA", "....", "é", "p" * 100_000], ids=lambda t: t[:20])
def test_what_is_no_ticket_opens_nothing(ticket):
    assert read(ticket) is None


@pytest.mark.proof("T7")
def test_no_changed_character_goes_unnoticed():
    ticket = mint()

    for place in range(len(ticket)):
        other = "A" if ticket[place] != "A" else "B"
        assert read(ticket[:place] + other + ticket[place + 1 :]) is None
        assert read(ticket[:place]) is None


@pytest.mark.proof("T7")
def test_a_visitor_token_is_no_preview_ticket():
    token = mint_visitor_token(
        Visitor.known("main", pseudonym=bytes(16)), tenant_public_id=TENANT, epoch=1, now=NOW, proof=bytes(16)
    )

    assert read(token) is None
    assert read("pt1" + token.removeprefix("vt1")) is None


@pytest.mark.proof("T7")
@pytest.mark.parametrize("payload", [b"", b"\x00", NOW.to_bytes(5, "big"), NOW.to_bytes(5, "big") + b"\xff"])
def test_a_payload_of_another_shape_opens_nothing_though_we_signed_it(payload):
    assert read(sign(PREVIEW_TICKET, payload, context=TENANT)) is None
