"""T7: what holds for every token: a good one is taken, and no change of one is."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.identity_tokens import CLOCK_SKEW, Identity, verify_identity
from tests.gateway.signing import Signer, claims, two_signers
from tests.proof import size

TENANT = "tn_" + "A" * 28
NOW = 1_800_000_000
ALGORITHMS = ("HS256", "EdDSA", "RS256")
EXAMPLES = size(reduced=150, full=5_000)
SIGNERS = {algorithm: two_signers(algorithm) for algorithm in ALGORITHMS}
KEYS = {algorithm: [signer.key() for signer in pair] for algorithm, pair in SIGNERS.items()}
KEY_CHARACTERS = string.ascii_letters + string.digits + "-_.=+/ "

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
subjects = texts.filter(lambda text: len(text.encode()) <= 255)
jtis = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
algorithms = st.sampled_from(ALGORITHMS)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def verify(token: str, algorithm: str, **changes):
    rules = {"keys": KEYS[algorithm], "algorithm": algorithm, "audience": TENANT, "now": NOW} | changes
    return verify_identity(token, **rules)


def a_good_token(algorithm: str, signer: Signer | None = None) -> str:
    return (signer or SIGNERS[algorithm][0]).token(claims(TENANT, NOW, jti="one"))


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    algorithm=algorithms,
    number=st.integers(0, 1),
    sub=subjects,
    jti=jtis,
    lifetime=st.integers(1, 600),
    age=st.integers(-CLOCK_SKEW, 600 + CLOCK_SKEW),
)
def test_every_good_token_is_taken_for_as_long_as_it_counts(algorithm, number, sub, jti, lifetime, age):
    issued = NOW - age
    token = SIGNERS[algorithm][number].token(claims(TENANT, NOW, sub=sub, jti=jti, iat=issued, exp=issued + lifetime))

    found = verify(token, algorithm)

    if len(token) <= 4_096 and age < lifetime + CLOCK_SKEW:
        assert isinstance(found, Identity)
        assert (found.subject, found.jti, found.key) == (sub, jti, KEYS[algorithm][number])
    else:
        assert not isinstance(found, Identity)


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None)
@given(algorithm=algorithms, data=st.data())
def test_no_changed_character_is_taken(algorithm, data):
    token = a_good_token(algorithm)
    at = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.sampled_from(KEY_CHARACTERS).filter(lambda character: character != token[at]))

    assert not isinstance(verify(token[:at] + put + token[at + 1 :], algorithm), Identity)


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None)
@given(algorithm=algorithms, data=st.data())
def test_nothing_cut_out_or_put_in_is_taken(algorithm, data):
    token = a_good_token(algorithm)
    start = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(start, min(len(token), start + 20)))
    put = data.draw(st.text(KEY_CHARACTERS, max_size=20).filter(lambda text: text != token[start:end]))

    assert not isinstance(verify(token[:start] + put + token[end:], algorithm), Identity)


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None)
@given(algorithm=algorithms, other=algorithms, alg=st.sampled_from([*ALGORITHMS, "none", "HS384", "", None]))
def test_no_key_of_another_is_taken_whatever_the_header_claims(algorithm, other, alg):
    stranger = two_signers(other)[0] if other == "HS256" else Signer("HS256", secret=SIGNERS[other][0].pem)
    token = stranger.token(claims(TENANT, NOW), {"alg": alg})

    assert not isinstance(verify(token, algorithm), Identity)


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(["aud", "sub", "jti", "exp", "iat", "nbf"]), value=json_values)
def test_no_value_of_a_claim_is_a_defect_and_what_is_taken_keeps_the_rules(name, value):
    payload = claims(TENANT, NOW) | {name: value}

    found = verify(SIGNERS["HS256"][0].token(payload), "HS256")

    if isinstance(found, Identity):
        said = json.loads(json.dumps(payload))
        assert said["aud"] in (TENANT, [TENANT])
        assert 1 <= len(said["sub"].encode()) <= 255
        assert 1 <= len(said["jti"]) <= 128
        assert 0 < said["exp"] - said["iat"] <= 600
        assert said["exp"] + CLOCK_SKEW > NOW
        assert max(said["iat"], said.get("nbf", 0)) <= NOW + CLOCK_SKEW


@pytest.mark.proof("T7")
@settings(max_examples=EXAMPLES, deadline=None)
@given(algorithm=algorithms, text=st.text(max_size=300))
def test_no_text_is_a_defect(algorithm, text):
    assert not isinstance(verify(text, algorithm), Identity)
