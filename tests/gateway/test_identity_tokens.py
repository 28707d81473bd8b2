"""T7: which signed identities are taken, and why the others are not."""

import hashlib
from collections import Counter

import pytest

from gateway.identity_refusals import IdentityRefusal
from gateway.identity_tokens import (
    CLOCK_SKEW,
    MAX_JTI,
    MAX_LIFETIME,
    MAX_TEXT,
    MAX_TOKEN,
    Identity,
    verify_identity,
)
from tests.gateway.refused_tokens import CASES, Scene, scene_for
from tests.gateway.signing import a_secret, claims, two_signers

TENANT = "tn_" + "A" * 28
OTHER_TENANT = "tn_" + "B" * 28
NOW = 1_800_000_000
ALGORITHMS = ("HS256", "EdDSA", "RS256")


def verify(token, *signers, now=NOW, names=(), audience=TENANT):
    keys = [signer.key() for signer in signers]
    return verify_identity(token, keys=keys, algorithm=signers[0].algorithm, audience=audience, now=now, claims=names)


def scene(algorithm="HS256") -> Scene:
    return scene_for(algorithm, public_id=TENANT, other_public_id=OTHER_TENANT, now=NOW)


@pytest.mark.proof("T7")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_must_be_refused_is_refused_for_its_reason(case):
    here = scene(case.algorithm)

    assert verify(case.make(here), here.signer) == case.reason


@pytest.mark.proof("T7")
def test_the_table_is_long_enough_and_names_nearly_every_reason(proof):
    reasons = Counter(case.reason for case in CASES)
    # Decided elsewhere: by the endpoint, or by what the tenant has.
    elsewhere = {IdentityRefusal.MISSING, IdentityRefusal.REPLAYED, IdentityRefusal.NO_KEY}

    proof.record(refused_cases=len(CASES))
    assert len(CASES) >= 60
    assert set(IdentityRefusal) - set(reasons) == elsewhere


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_good_token_names_its_visitor(algorithm):
    here = scene(algorithm)

    found = verify(here.good(sub="Zoë"), here.signer)

    assert isinstance(found, Identity)
    assert (found.subject, found.expires_at, found.counts_until) == ("Zoë", NOW + 300, NOW + 300 + CLOCK_SKEW)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [TENANT]},
        {"sub": "x" * 255},
        {"sub": "ü" * 127},
        {"sub": "\x00"},
        {"jti": "x" * 128},
        {"exp": NOW + 600},
        {"exp": NOW + 0.5},
        {"iat": NOW - 719, "exp": NOW - 119},
        {"iat": NOW + 120, "exp": NOW + 720},
        {"nbf": NOW + 120},
        {"iss": "https://shop.example", "email": "a@example.com", "nested": {"a": [1]}},
    ],
    ids=lambda changes: ", ".join(changes),
)
def test_what_is_just_within_the_rules_is_taken(changes):
    here = scene()

    assert isinstance(verify(here.good(**changes), here.signer), Identity)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iat": NOW - 720, "exp": NOW - 120}, IdentityRefusal.EXPIRED),
        ({"iat": NOW + 121, "exp": NOW + 300}, IdentityRefusal.NOT_YET),
        ({"nbf": NOW + 121}, IdentityRefusal.NOT_YET),
        ({"exp": NOW + 600.5}, IdentityRefusal.LIFETIME),
    ],
)
def test_what_is_just_beyond_the_rules_is_refused(changes, reason):
    here = scene()

    assert verify(here.good(**changes), here.signer) == reason


def test_the_bounds_are_those_that_the_documents_state():
    assert (MAX_TOKEN, MAX_JTI, MAX_LIFETIME, CLOCK_SKEW, MAX_TEXT) == (4_096, 128, 600, 120, 1_000)


@pytest.mark.parametrize("header", [{"kid": "../x"}, {"kid": 7}, {"typ": "at+jwt"}, {"x5t": "AAAA"}], ids=str)
def test_a_header_s_other_words_have_no_say(header):
    here = scene()

    assert isinstance(verify(here.signer.token(here.claims(), {"alg": "HS256"} | header), here.signer), Identity)


def test_the_longest_token_is_taken():
    here = scene()
    fitting = [token for size in range(2_700, 2_900) if len(token := here.good(filler="x" * size)) <= MAX_TOKEN]

    assert MAX_TOKEN - len(fitting[-1]) < 3
    assert isinstance(verify(fitting[-1], here.signer), Identity)


@pytest.mark.parametrize("issued_at", [0, 2**53 - 1 - 300], ids=["first", "last"])
def test_the_first_and_the_last_second_that_every_reader_of_json_knows_are_times(issued_at):
    here = scene()

    found = verify(here.good(iat=issued_at, exp=issued_at + 300), here.signer, now=issued_at)

    assert (found.issued_at, found.expires_at) == (issued_at, issued_at + 300)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_of_two_active_keys_each_counts_and_is_named(algorithm):
    old, new = two_signers(algorithm)
    keys = [old.key(), new.key()]

    found = [
        verify_identity(signer.token(claims(TENANT, NOW)), keys=keys, algorithm=algorithm, audience=TENANT, now=NOW)
        for signer in (old, new)
    ]

    assert [identity.key for identity in found] == keys


def test_without_a_key_nothing_is_taken():
    assert (
        verify_identity(scene().good(), keys=[], algorithm="HS256", audience=TENANT, now=NOW) == IdentityRefusal.NO_KEY
    )


def test_only_listed_claims_that_fit_go_on():
    here = scene()
    given = {
        "plan": "gold",
        "age": 41,
        "score": 0.5,
        "beta": True,
        "empty": "",
        "longest": "x" * 1_000,
        "most": 2**53 - 1,
        "long": "x" * 1_001,
        "huge": 2**53,
        "list": ["a"],
        "nothing": None,
        "broken": "\ud800",
        "secret": "not listed",
    }
    # `None` would take the claim out.
    token = here.signer.token(here.claims() | given)
    names = [*(name for name in given if name != "secret"), "absent"]

    found = verify(token, here.signer, names=names)

    assert set(found.variables) == {"plan", "age", "score", "beta", "empty", "longest", "most"}
    assert dict(found.variables) == {name: given[name] for name in found.variables}
    assert found.dropped == ("long", "huge", "list", "nothing", "broken")
    assert found.absent == ("absent",)


def test_the_proof_hangs_on_the_key_the_token_the_tenant_and_the_subject():
    signer, key = a_secret(), None

    def proof(*, tenant=TENANT, other_key=False, **changes):
        nonlocal key
        key = signer.key() if other_key or key is None else key
        token = signer.token(claims(tenant, NOW, **({"jti": "one"} | changes)))
        found = verify_identity(token, keys=[key], algorithm="HS256", audience=tenant, now=NOW)
        assert isinstance(found, Identity)
        return found.proof(tenant)

    first = proof()

    assert proof(exp=NOW + 200) == first
    assert len(first) == 16
    assert first.startswith(key.tag)
    assert len({first, proof(jti="two"), proof(sub="b"), proof(tenant=OTHER_TENANT), proof(other_key=True)}) == 5


def test_the_proof_is_what_its_specification_says():
    """Visitor tokens carry it for 180 days, so the rule may not change unnoticed."""
    here = scene()
    found = verify(here.good(sub="user-42", jti="one"), here.signer)
    parts = [len(part).to_bytes(4, "big") + part for part in (b"one", TENANT.encode(), b"user-42")]
    digest = hashlib.sha256(b"ckp/identity-proof/v1" + b"".join(parts)).digest()

    assert found.proof(TENANT) == found.key.tag + digest[:12]


def test_nothing_of_the_visitor_or_the_key_is_printed():
    here = scene()

    found = verify(here.good(sub="user-42", jti="jti-1", plan="gold"), here.signer, names=["plan"])

    assert not [word for word in ("user-42", "jti-1", "gold", here.signer.secret) if word in repr(found)]


def test_every_reason_has_words_and_a_cure():
    for reason in IdentityRefusal:
        assert reason.words.sentence.endswith(".")
        assert reason.words.cure.endswith(".")
