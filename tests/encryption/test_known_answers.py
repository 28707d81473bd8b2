"""E3: the cipher gives the published answers, and tokens of every past format still open."""

import struct
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption import base64url
from encryption.aead import decrypt
from encryption.vault import Binding, SecretError, open_token, seal
from tests.encryption.keys import raw_key, ring

PLACE = Binding(
    owner=UUID("11111111-2222-3333-4444-555555555555"),
    purpose="api-key",
    row=UUID("66666666-7777-8888-9999-aaaaaaaaaaaa"),
)
AAD = b"".join(
    struct.pack(">I", len(field)) + field
    for field in (b"ckp/secret/v1", PLACE.owner.bytes, PLACE.purpose.encode(), PLACE.row.bytes)
)
FROZEN = {
    "ckp1": (
        "ckp1.then.fuPbe7VTY3xEq0VgtdxWkoJHe_0EwaqbUNHy5_RD784B9TcS7PzcY6JkP2T7v23-mi3ipOXwKy2kvLsR"
        ".s5jDfE3gj4Qr6YEv8UVYC76B2xQ5eMxKIOkcQ3QsSlvg_jnvOSRd9qyTuuWo7Fm-fIY"
    ),
}


@pytest.mark.proof("E3")
def test_the_cipher_gives_the_answer_of_the_gcm_specification():
    """Test case 16 of McGrew and Viega's "The Galois/Counter Mode of Operation", which NIST took over."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )

    assert decrypt(AESGCM(key), nonce + sealed, aad) == plain


@pytest.mark.proof("E3")
@pytest.mark.parametrize("version", FROZEN)
def test_a_token_of_each_past_format_still_opens(version, settings):
    settings.MASTER_KEYS = ring("now", "then")

    assert open_token(FROZEN[version], PLACE).reveal() == "a secret from the past"


@pytest.mark.proof("E3")
def test_a_token_is_what_its_specification_says(settings):
    """The docstring of `encryption.vault`, followed by hand."""
    settings.MASTER_KEYS = ring("a")
    version, key_id, wrapped, sealed = seal("by hand", PLACE).split(".")

    box = base64url.decode(wrapped)
    data_key = AESGCM(raw_key("a")).decrypt(box[:12], box[12:], AAD + struct.pack(">I", 1) + b"a")
    box = base64url.decode(sealed)
    plain = AESGCM(data_key).decrypt(box[:12], box[12:], AAD)

    assert (version, key_id, plain) == ("ckp1", "a", b"by hand")
    assert len(data_key) == 32


@pytest.mark.parametrize(("length", "opens"), [(100, True), (6_050, True), (6_051, False)])
def test_a_token_is_looked_at_up_to_8192_characters(length, opens, settings):
    """Sealed by hand, since `seal` itself stops at 4,096 bytes."""
    settings.MASTER_KEYS = ring("a")
    nonce, data_key = bytes(12), bytes(32)
    wrapped = nonce + AESGCM(raw_key("a")).encrypt(nonce, data_key, AAD + struct.pack(">I", 1) + b"a")
    sealed = nonce + AESGCM(data_key).encrypt(nonce, b"x" * length, AAD)
    token = f"ckp1.a.{base64url.encode(wrapped)}.{base64url.encode(sealed)}"

    assert (len(token) <= 8192) is opens
    if opens:
        assert open_token(token, PLACE).reveal() == "x" * length
    else:
        with pytest.raises(SecretError):
            open_token(token, PLACE)
