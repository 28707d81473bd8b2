"""E1, E2, E4 and the life of a sealed secret."""

import itertools
from collections import Counter
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from encryption import base64url
from encryption.secret import Secret
from encryption.vault import MAX_SECRET_BYTES, Binding, SecretError, open_token, rewrap, seal, token_prefix
from tests.encryption.keys import raw_key, ring

PLAIN = "sk-" + "test-" + "x" * 156
PLACE = Binding(owner=UUID(int=1), purpose="api-key", row=UUID(int=2))


@pytest.fixture(autouse=True)
def master_keys(settings):
    settings.MASTER_KEYS = ring("a", "b")


def refused(token, binding=PLACE):
    """The message of the refusal; any other exception, or an opened token, fails the test."""
    with pytest.raises(SecretError) as refusal:
        open_token(token, binding)
    assert refusal.value.__cause__ is None
    return str(refusal.value)


@pytest.mark.parametrize("plain", ["x", PLAIN, "schlüssel ✓", "\x00", "é" * (MAX_SECRET_BYTES // 2)])
def test_a_sealed_secret_opens_in_its_own_place(plain):
    token = seal(plain, PLACE)

    assert open_token(token, PLACE) == Secret(plain)
    assert token.startswith(token_prefix("a"))
    assert plain == "x" or plain not in token


def test_a_secret_may_be_sealed_from_a_secret():
    assert open_token(seal(Secret(PLAIN), PLACE), PLACE).reveal() == PLAIN


def test_a_blank_and_an_oversized_secret_are_not_sealed():
    with pytest.raises(ValueError, match="empty"):
        seal("", PLACE)
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        seal("x" * (MAX_SECRET_BYTES + 1), PLACE)


@pytest.mark.parametrize("purpose", ["", "API", "a b", "x" * 65, "ключ"])
def test_a_purpose_is_a_plain_word(purpose):
    with pytest.raises(ValueError, match="purpose"):
        Binding(owner=UUID(int=1), purpose=purpose, row=UUID(int=2))


def test_the_fields_of_a_binding_cannot_run_into_each_other():
    long, short = (Binding(UUID(int=1), purpose, UUID(int=2)) for purpose in ("api-key2", "api-key"))

    assert len({long.aad(), short.aad(), long.wrapping_aad("a"), short.wrapping_aad("2a"), long.wrapping_aad("")}) == 5


@pytest.mark.proof("E1")
def test_a_token_opens_for_no_other_tenant_purpose_or_row(proof):
    """E1: 20 tenants x 3 purposes, every foreign pairing of token, wrapped data key, ciphertext and master key id."""
    places = [
        Binding(owner=uuid4(), purpose=purpose, row=uuid4())
        for _, purpose in itertools.product(range(20), ["api-key", "webhook", "totp"])
    ]
    tokens = {place: seal(PLAIN, place).split(".") for place in places}
    messages = set()

    for mine, theirs in itertools.permutations(places, 2):
        version, key_id, wrapped, sealed = tokens[mine]
        _, _, their_wrapped, their_sealed = tokens[theirs]
        messages.add(refused(".".join([version, key_id, their_wrapped, their_sealed]), mine))
        messages.add(refused(".".join([version, key_id, their_wrapped, sealed]), mine))
        messages.add(refused(".".join([version, key_id, wrapped, their_sealed]), mine))
    for place, (version, _, wrapped, sealed) in tokens.items():
        for key_id in ("b", "c", ""):
            messages.add(refused(".".join([version, key_id, wrapped, sealed]), place))

    proof.record(places=len(places), foreign_pairings=3 * len(places) * (len(places) - 1) + 3 * len(places), opened=0)
    assert len(messages) == 1


@pytest.mark.proof("E1")
@pytest.mark.parametrize(
    "other",
    [
        Binding(UUID(int=9), PLACE.purpose, PLACE.row),
        Binding(PLACE.owner, "webhook", PLACE.row),
        Binding(PLACE.owner, PLACE.purpose, UUID(int=9)),
        Binding(PLACE.row, PLACE.purpose, PLACE.owner),
    ],
)
def test_each_part_of_the_binding_counts(other):
    refused(seal(PLAIN, PLACE), other)


@pytest.mark.proof("E2")
def test_no_flipped_bit_goes_unnoticed(proof):
    """E2: every bit of every character."""
    token = seal(PLAIN, PLACE)

    for place, bit in itertools.product(range(len(token)), range(8)):
        refused(token[:place] + chr(ord(token[place]) ^ (1 << bit)) + token[place + 1 :])
    proof.record(flips=8 * len(token), opened=0)


@pytest.mark.proof("E2")
def test_no_truncation_and_no_addition_goes_unnoticed():
    """E2: every length, from either end."""
    token = seal(PLAIN, PLACE)

    for length in range(len(token)):
        refused(token[:length])
        refused(token[len(token) - length :])
    for more in ("=", "A", ".", "\n", " ", "\x00", "." + token):
        refused(token + more)
        refused(more + token)


@pytest.mark.proof("E2")
def test_boxes_cut_to_whole_bytes_do_not_open():
    version, key_id, wrapped, sealed = seal(PLAIN, PLACE).split(".")

    for length in range(len(base64url.decode(sealed))):
        refused(f"{version}.{key_id}.{wrapped}.{base64url.encode(base64url.decode(sealed)[:length])}")
    for length in range(len(base64url.decode(wrapped))):
        refused(f"{version}.{key_id}.{base64url.encode(base64url.decode(wrapped)[:length])}.{sealed}")


@pytest.mark.proof("E2")
def test_no_made_up_token_opens(proof):
    """E2: only ever a SecretError."""
    tried = Counter()

    @effort(max_examples=proof.size(reduced=500, full=100_000), deadline=None)
    @given(
        st.one_of(
            st.text(max_size=400),
            st.lists(st.text(alphabet="abcdefABC019-_=.", max_size=120), min_size=4, max_size=4).map(".".join),
            st.tuples(st.binary(max_size=80), st.binary(max_size=80)).map(
                lambda boxes: f"ckp1.a.{base64url.encode(boxes[0])}.{base64url.encode(boxes[1])}"
            ),
            st.binary(min_size=60, max_size=60).map(lambda box: f"ckp1.a.{base64url.encode(box)}.{'A' * 64}"),
        )
    )
    def every_token(token):
        tried["tokens"] += 1
        refused(token)

    every_token()
    proof.record(**tried, opened=0)


@pytest.mark.proof("E2")
@pytest.mark.parametrize("token", ["", "ckp1", "...", "ckp2.a.AAAA.AAAA", "A" * 9000, "ckp1.a." + "A" * 9000 + ".AAAA"])
def test_odd_and_oversized_tokens_are_refused(token):
    refused(token)


@pytest.mark.proof("E4")
def test_no_nonce_and_no_data_key_is_used_twice(proof):
    """E4: boxes begin with their nonces; the data key is taken out of its wrapping by hand."""
    count = proof.size(reduced=20_000, full=1_000_000)
    master_key, aad = AESGCM(raw_key("a")), PLACE.wrapping_aad("a")
    nonces, data_keys = set(), set()

    for _ in range(count):
        wrapped, sealed = map(base64url.decode, seal("x", PLACE).split(".")[2:])
        nonces |= {wrapped[:12], sealed[:12]}
        data_keys.add(master_key.decrypt(wrapped[:12], wrapped[12:], aad))

    proof.record(seals=count, repeated_nonces=2 * count - len(nonces), repeated_keys=count - len(data_keys))
    assert len(nonces) == 2 * count
    assert len(data_keys) == count


def test_an_old_key_still_opens_and_a_removed_one_does_not(settings):
    token = seal(PLAIN, PLACE)

    settings.MASTER_KEYS = ring("c", "a")
    assert open_token(token, PLACE).reveal() == PLAIN
    settings.MASTER_KEYS = ring("c")
    assert "MASTER_KEYS" in refused(token)


def test_rewrapping_changes_the_wrapping_alone(settings):
    token = seal(PLAIN, PLACE)
    settings.MASTER_KEYS = ring("c", "a")

    rewrapped = rewrap(token, PLACE)

    assert rewrapped.startswith(token_prefix("c"))
    assert rewrapped.split(".")[3] == token.split(".")[3]
    settings.MASTER_KEYS = ring("c")
    assert open_token(rewrapped, PLACE).reveal() == PLAIN


def test_rewrapping_leaves_a_token_of_the_primary_key_as_it_is():
    token = seal(PLAIN, PLACE)

    assert rewrap(token, PLACE) == token


def test_rewrapping_refuses_what_does_not_belong_there():
    token = seal(PLAIN, PLACE)
    elsewhere = Binding(UUID(int=9), PLACE.purpose, PLACE.row)

    for wrong, place in [(token, elsewhere), (token.replace(".a.", ".c."), PLACE), ("", PLACE), ("x", PLACE)]:
        with pytest.raises(SecretError):
            rewrap(wrong, place)
