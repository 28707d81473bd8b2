"""Which public keys are taken, and what is said of those that are not."""

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tenants.verifying_keys import PublicKeyRefused, read_public_key
from tests.gateway.signing import an_ed25519_key, rsa_pair


def pem_of(private):
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_the_kind_of_a_key_says_its_algorithm():
    assert read_public_key(an_ed25519_key().pem).algorithm == "EdDSA"
    assert read_public_key(rsa_pair()[0].pem).algorithm == "RS256"


def test_the_older_form_of_an_rsa_key_is_taken_too():
    public = rsa_pair()[0].private.public_key()

    read = read_public_key(public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode())

    assert read.algorithm == "RS256"


def test_blanks_and_line_ends_of_another_system_make_no_other_key():
    pem = an_ed25519_key().pem
    pasted = "\r\n  " + pem.replace("\n", " \r\n  ") + "\r\n"

    assert read_public_key(pasted).fingerprint == read_public_key(pem).fingerprint


@pytest.mark.parametrize("bits", [1024, 2040])
def test_a_short_rsa_key_is_refused(bits):
    short = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    with pytest.raises(PublicKeyRefused, match=f"{bits} bits"):
        read_public_key(pem_of(short))


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
@pytest.mark.parametrize("signer", [an_ed25519_key, lambda: rsa_pair()[0]], ids=["Ed25519", "RSA"])
def test_a_private_key_is_refused_and_not_repeated(form, signer):
    pem = signer().private.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    with pytest.raises(PublicKeyRefused, match="private key") as caught:
        read_public_key(pem)

    assert pem.splitlines()[1][:20] not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ed448.Ed448PrivateKey.generate(),
        lambda: x25519.X25519PrivateKey.generate(),
        lambda: dsa.generate_private_key(key_size=1024),
    ],
    ids=["P-256", "Ed448", "X25519", "DSA"],
)
def test_keys_of_other_kinds_are_refused(make):
    with pytest.raises(PublicKeyRefused):
        read_public_key(pem_of(make()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@desk",
        "a secret",
        "/etc/passwd",
        '{"kty":"OKP","crv":"Ed25519","x":"AAAA"}',
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n" + "A" * 5_000,
        "-----BEGIN PUBLIC KEY-----\nö\x00\n-----END PUBLIC KEY-----",
    ],
    ids=range(10),
)
def test_what_is_no_public_key_is_refused_with_a_sentence(text):
    with pytest.raises(PublicKeyRefused) as caught:
        read_public_key(text)

    assert str(caught.value).endswith((".", "-noout", "”."))
