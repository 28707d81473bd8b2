"""Keys derived for signing, and the frame of every signed token."""

import base64
import hashlib
import hmac

import pytest

from encryption import base64url
from encryption.derive import primary_signing_id, signing_ids, signing_key
from encryption.signed import TokenKind, read_signed, sign
from tests.encryption.keys import raw_key, ring

KIND = TokenKind(version="xt1", label="example-token", max_length=120)


@pytest.fixture(autouse=True)
def signing_keys(settings):
    settings.SIGNING_KEYS = ring("a", "b")


def test_the_ring_is_read_from_the_settings():
    assert primary_signing_id() == "a"
    assert signing_ids() == ("a", "b")


def test_a_key_is_hkdf_of_the_ring_key_under_its_label():
    """RFC 5869 by hand: extract with a salt of zeros, then one block of expand."""
    pseudo_random_key = hmac.digest(bytes(32), raw_key("b"), hashlib.sha256)
    expected = hmac.digest(pseudo_random_key, b"ckp/signing/v1/visitor-token\x01", hashlib.sha256)

    assert signing_key("visitor-token", "b") == expected


def test_no_two_kinds_and_no_two_ring_keys_share_a_key():
    labels = ["visitor-token", "chat-token", "preview-ticket", "ops-export"]

    keys = {signing_key(label, key_id) for label in labels for key_id in signing_ids()}

    assert len(keys) == 8
    assert keys.isdisjoint({raw_key("a"), raw_key("b")})


def test_a_key_that_is_not_in_the_ring_is_not_found():
    with pytest.raises(KeyError):
        signing_key("visitor-token", "c")


@pytest.mark.parametrize("label", ["", "Visitor", "visitor token", "x" * 41])
def test_a_label_is_a_plain_word(label):
    with pytest.raises(ValueError, match="label"):
        signing_key(label, "a")


def test_a_token_is_what_its_specification_says():
    token = sign(KIND, b"payload", context="here")

    mac = hmac.digest(signing_key("example-token", "a"), b"xt1.a.here.cGF5bG9hZA", hashlib.sha256)
    assert token == f"xt1.a.cGF5bG9hZA.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_token_is_read_in_its_own_context_only():
    token = sign(KIND, b"payload", context="here")

    assert read_signed(KIND, token, context="here") == b"payload"
    assert read_signed(KIND, token, context="there") is None
    assert read_signed(KIND, token, context="") is None


def test_one_kind_never_passes_as_another():
    token = sign(KIND, b"payload", context="here")
    other_label = TokenKind(version="xt1", label="other-token", max_length=120)
    other_version = TokenKind(version="xt2", label="example-token", max_length=120)

    assert read_signed(other_label, token, context="here") is None
    assert read_signed(other_version, token, context="here") is None
    assert read_signed(other_version, token.replace("xt1", "xt2"), context="here") is None


def test_no_changed_character_goes_unnoticed():
    token = sign(KIND, b"payload", context="here")

    for place in range(len(token)):
        for other in ("A", "B", "9", "_", ".", "=", "\x00", "é", "\udc80"):
            changed = token[:place] + other + token[place + 1 :]
            assert changed == token or read_signed(KIND, changed, context="here") is None
        assert read_signed(KIND, token[:place], context="here") is None


def test_a_mac_in_another_spelling_is_refused():
    token = sign(KIND, b"payload", context="here")
    head, mac = token.rsplit(".", 1)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = mac[:-1] + alphabet[alphabet.index(mac[-1]) ^ 1]

    assert base64.urlsafe_b64decode(twin + "=") == base64url.decode(mac)
    assert read_signed(KIND, f"{head}.{twin}", context="here") is None
    assert read_signed(KIND, token + "=", context="here") is None


def test_a_payload_that_does_not_fit_is_not_signed_and_a_long_text_not_read():
    with pytest.raises(ValueError, match="at most 120 characters"):
        sign(KIND, b"x" * 60, context="here")
    assert read_signed(KIND, "x" * 121, context="here") is None


def test_the_longest_text_that_is_signed_is_read():
    token = sign(KIND, b"x" * 52, context="here")
    shorter = TokenKind(version="xt1", label="example-token", max_length=len(token) - 1)

    assert len(token) == 120
    assert read_signed(KIND, token, context="here") == b"x" * 52
    assert read_signed(shorter, token, context="here") is None


def test_a_ring_key_that_was_removed_signs_nothing_any_more(settings):
    token = sign(KIND, b"payload", context="here")

    settings.SIGNING_KEYS = ring("c", "a")
    assert read_signed(KIND, token, context="here") == b"payload"
    settings.SIGNING_KEYS = ring("c", "b")
    assert read_signed(KIND, token, context="here") is None
