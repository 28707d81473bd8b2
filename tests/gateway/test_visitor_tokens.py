"""Who a visitor is: read back from our token, or a new one; never the same to two tenants."""

import base64
import hashlib
import hmac
import secrets
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from encryption.secret import Secret
from encryption.signed import sign
from gateway.preview_tickets import mint_preview_ticket
from gateway.visitor_tokens import (
    LIFETIME,
    VISITOR_TOKEN,
    Visitor,
    VisitorKind,
    VisitorToken,
    mint_visitor_token,
    read_visitor_token,
    upstream_user,
    visitor_ref,
)

PSEUDONYM = b"p" * 16
PROOF = b"q" * 16

TENANT = "tn_" + "A" * 28
OTHER_TENANT = "tn_" + "B" * 28
NOW = 1_800_000_000
SCOPE = Secret("a scope secret for tests")


def known(subject, *, pseudonym=PSEUDONYM):
    return Visitor.known(subject, pseudonym=pseudonym)


def mint(visitor, *, tenant=TENANT, epoch=1, now=NOW):
    proof = PROOF if visitor.kind is VisitorKind.KNOWN else b""
    return mint_visitor_token(visitor, tenant_public_id=tenant, epoch=epoch, now=now, proof=proof)


def read(token, *, tenant=TENANT, epoch=1, now=NOW):
    return read_visitor_token(token, tenant_public_id=tenant, epoch=epoch, now=now)


@pytest.mark.parametrize(
    "visitor",
    [
        Visitor.anonymous(),
        known("user-42"),
        known("ü"),
        known("x" * 255),
        known("\x00"),
    ],
    ids=["anonymous", "known", "not ASCII", "longest", "NUL"],
)
def test_a_token_names_its_visitor(visitor):
    token = mint(visitor)

    assert read(token) == VisitorToken(visitor, NOW, PROOF if visitor.kind is VisitorKind.KNOWN else b"")
    assert token.startswith("vt1.")
    assert len(token) <= 512


def test_a_token_is_what_its_specification_says():
    """Visitors keep tokens for months, so the layout may only change with the version word."""
    late, epoch = 2**39 + 1, 2**31 + 1
    payload = b"\x01" + late.to_bytes(5, "big") + epoch.to_bytes(4, "big") + PSEUDONYM + PROOF + b"user-42"

    token = sign(VISITOR_TOKEN, payload, context=TENANT)

    assert mint(known("user-42"), epoch=epoch, now=late) == token
    assert read(token, epoch=epoch, now=late) == VisitorToken(known("user-42"), late, PROOF)
    assert read(token, epoch=1, now=late) is None
    assert (VISITOR_TOKEN.version, VISITOR_TOKEN.label, VISITOR_TOKEN.max_length) == ("vt1", "visitor-token", 512)


def test_each_new_visitor_is_somebody_else():
    assert len({Visitor.anonymous().id for _ in range(1_000)}) == 1_000


@pytest.mark.proof("T7")
def test_a_token_counts_at_its_own_tenant_only():
    assert read(mint(Visitor.anonymous()), tenant=OTHER_TENANT) is None


@pytest.mark.proof("T7")
def test_a_token_counts_in_its_own_visitor_epoch_only():
    token = mint(Visitor.anonymous(), epoch=7)

    assert read(token, epoch=7) is not None
    assert read(token, epoch=6) is None
    assert read(token, epoch=8) is None


@pytest.mark.proof("T7")
@pytest.mark.parametrize(
    ("age", "counts"),
    [(0, True), (LIFETIME - 1, True), (LIFETIME, False), (-300, True), (-301, False), (10 * LIFETIME, False)],
)
def test_a_token_counts_for_180_days(age, counts):
    token = mint(Visitor.anonymous())

    assert (read(token, now=NOW + age) is not None) is counts
    assert LIFETIME == 180 * 24 * 60 * 60


@pytest.mark.proof("T7")
@pytest.mark.parametrize(
    "token",
    ["", "vt1", "vt1...", "....", "vt1.test.AAAA.AAAA", "vt1.nobody.AAAA.AAAA", "null", "é", "\ud800", "v" * 100_000],
    ids=lambda token: ascii(token)[:20],
)
def test_what_is_no_token_names_nobody(token):
    assert read(token) is None


@pytest.mark.proof("T7")
def test_no_changed_bit_goes_unnoticed():
    token = mint(Visitor.anonymous())

    for place in range(len(token)):
        for bit in range(8):
            assert read(token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :]) is None
        assert read(token[:place]) is None


@pytest.mark.proof("T7")
def test_no_made_up_token_names_anybody(proof):
    tried = Counter()

    @effort(max_examples=proof.size(reduced=300, full=20_000), deadline=None)
    @given(
        st.one_of(
            st.text(max_size=600),
            st.tuples(st.text(), st.text(), st.text()).map(lambda parts: "vt1." + ".".join(parts)),
        )
    )
    def every_token(token):
        tried["tokens"] += 1
        assert read(token) is None

    every_token()
    proof.record(**tried, accepted=0)


@pytest.mark.proof("T7")
@pytest.mark.parametrize(
    "payload",
    [b"", bytes(9), bytes(10), bytes(11), b"\x02" + NOW.to_bytes(5) + (1).to_bytes(4) + bytes(16)],
    ids=["empty", "cut", "no id", "short id", "unknown kind"],
)
def test_a_payload_of_another_shape_names_nobody_though_we_signed_it(payload):
    assert read(sign(VISITOR_TOKEN, payload, context=TENANT)) is None


def test_an_anonymous_id_of_a_wrong_length_names_nobody_though_we_signed_it():
    head = b"\x00" + NOW.to_bytes(5, "big") + (1).to_bytes(4, "big")

    assert read(sign(VISITOR_TOKEN, head + bytes(15), context=TENANT)) is None
    assert read(sign(VISITOR_TOKEN, head + bytes(16), context=TENANT)) is not None


@pytest.mark.proof("T7")
def test_a_preview_ticket_is_no_visitor_token():
    ticket = mint_preview_ticket(tenant_public_id=TENANT, assistant_slug="main", now=NOW)

    assert read(ticket) is None
    assert read("vt1" + ticket.removeprefix("pt1")) is None


@pytest.mark.parametrize(
    ("kind", "visitor_id"),
    [
        (VisitorKind.ANON, b""),
        (VisitorKind.ANON, bytes(15)),
        (VisitorKind.ANON, bytes(17)),
        (VisitorKind.KNOWN, b""),
        (VisitorKind.KNOWN, bytes(256)),
    ],
)
def test_an_id_that_its_kind_cannot_have_is_refused(kind, visitor_id):
    with pytest.raises(ValueError, match="id has"):
        Visitor(kind, visitor_id, PSEUDONYM if kind is VisitorKind.KNOWN else b"")


@pytest.mark.parametrize(
    ("kind", "pseudonym"),
    [(VisitorKind.ANON, PSEUDONYM), (VisitorKind.KNOWN, b""), (VisitorKind.KNOWN, bytes(15))],
)
def test_a_known_visitor_and_no_other_has_a_pseudonym(kind, pseudonym):
    with pytest.raises(ValueError, match="pseudonym"):
        Visitor(kind, bytes(16), pseudonym)


@pytest.mark.parametrize(("visitor", "proof"), [(Visitor.anonymous(), PROOF), (known("a"), b""), (known("a"), b"q")])
def test_a_known_visitors_token_and_no_other_has_a_proof(visitor, proof):
    with pytest.raises(ValueError, match="proof"):
        mint_visitor_token(visitor, tenant_public_id=TENANT, epoch=1, now=NOW, proof=proof)


def test_a_visitor_does_not_print_its_id():
    assert "user-42" not in repr(known("user-42"))


@pytest.mark.proof("T6")
def test_the_upstream_user_is_what_its_specification_says():
    """Chats at OpenAI hang on this text, so the rule may never change."""
    mac = hmac.digest(SCOPE.reveal().encode(), b"known\x00user-42", hashlib.sha256)
    expected = f"v1.{TENANT}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    assert upstream_user(SCOPE, TENANT, known("user-42")) == expected


def test_the_upstream_user_of_a_frozen_example_stays():
    user = upstream_user(SCOPE, TENANT, Visitor(VisitorKind.ANON, bytes(range(16))))

    assert user == f"v1.{TENANT}.qSK748x7L-twAnn4lEBcvNWEFT6wYOGAbecSk-Zr8a8"


@pytest.mark.proof("T6")
def test_no_two_visitors_share_an_upstream_user_or_a_reference():
    """A known name equal to an anonymous id, or to the other kind's message, is still somebody else."""
    anonymous = Visitor.anonymous()
    visitors = [
        anonymous,
        Visitor(VisitorKind.KNOWN, anonymous.id, secrets.token_bytes(16)),
        Visitor(VisitorKind.KNOWN, b"anon\x00" + anonymous.id, secrets.token_bytes(16)),
        *(known(name, pseudonym=secrets.token_bytes(16)) for name in ("a", "a\x00", "\x00a")),
        Visitor.anonymous(),
    ]

    assert len({upstream_user(SCOPE, TENANT, visitor) for visitor in visitors}) == len(visitors)
    assert len({visitor_ref(visitor, TENANT) for visitor in visitors}) == len(visitors)


@pytest.mark.proof("T6")
def test_two_tenants_never_share_an_upstream_user():
    visitor = known("user-42")

    assert upstream_user(SCOPE, TENANT, visitor) != upstream_user(SCOPE, OTHER_TENANT, visitor)
    assert upstream_user(SCOPE, TENANT, visitor)[35:] != upstream_user(Secret("another"), TENANT, visitor)[35:]


def test_the_reference_in_our_ledger_hangs_on_what_is_random_per_visitor_and_on_nothing_else():
    """Once a known visitor's pseudonym is destroyed, its name at the tenant leads to no row any more."""
    reference = visitor_ref(known("user-42"), TENANT)

    assert reference == visitor_ref(known("another name", pseudonym=PSEUDONYM), TENANT)
    assert reference != visitor_ref(known("user-42", pseudonym=b"r" * 16), TENANT)
    assert reference != visitor_ref(known("user-42"), OTHER_TENANT)
    assert len(reference) == 32
    assert set(reference) <= set("0123456789abcdef")


def test_the_reference_of_an_anonymous_visitor_hangs_on_its_random_id():
    visitor = Visitor.anonymous()

    assert visitor_ref(visitor, TENANT) == visitor_ref(Visitor(VisitorKind.ANON, visitor.id), TENANT)
    assert visitor_ref(visitor, TENANT) != visitor_ref(visitor, OTHER_TENANT)


def test_the_reference_is_what_its_specification_says():
    """Rows are found by it for as long as they are kept, so the rule may not change unnoticed."""
    message = b"ckp/visitor-ref/v2\x00" + TENANT.encode()

    assert visitor_ref(known("user-42"), TENANT) == hmac.digest(PSEUDONYM, message, hashlib.sha256).hex()[:32]


def test_an_anonymous_visitors_token_needs_no_proof():
    visitor = Visitor.anonymous()

    token = mint_visitor_token(visitor, tenant_public_id=TENANT, epoch=1, now=NOW)

    assert read(token) == VisitorToken(visitor, NOW)
