"""A certificate of an erasure: whoever keeps it can check it, and no changed byte goes unnoticed."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import CommandError, call_command

from encryption import base64url
from encryption.models import SiteSecret, forget_site_secrets
from encryption.site_signature import is_signed_by, sign_as_site, site_public_key
from sessions_api.certificate import CertificateInvalid, certificate_key, issue_certificate, verify_certificate
from tests.proof.plugin import Proof

pytestmark = pytest.mark.django_db

FACTS: dict[str, Any] = {
    "id": "1",
    "complete": True,
    "threads_deleted": 3,
    "keys": [{"key": "Schlüssel", "threads": 3}],
}


def tampered(change: Any) -> str:
    envelope = json.loads(issue_certificate(FACTS))
    change(envelope)
    return json.dumps(envelope)


def test_what_is_certified_comes_back() -> None:
    certificate = verify_certificate(issue_certificate(FACTS), public_key=certificate_key())

    assert certificate == {"format": "ckp/erasure-certificate/v1", **FACTS}


def test_it_is_checked_without_this_platform_as_the_format_says() -> None:
    envelope = json.loads(issue_certificate(FACTS))
    message = b"ckp/erasure-certificate/v1\x00" + rfc8785.dumps(envelope["certificate"])

    key = Ed25519PublicKey.from_public_bytes(base64url.decode(envelope["public_key"]))

    key.verify(base64url.decode(envelope["signature"]), message)
    assert issue_certificate(FACTS).encode() == rfc8785.dumps(envelope)


def test_spaces_and_the_order_of_names_do_not_matter() -> None:
    envelope = json.loads(issue_certificate(FACTS))
    text = json.dumps(dict(reversed(envelope.items())), indent=4)

    assert verify_certificate(text, public_key=certificate_key())["threads_deleted"] == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda e: e["certificate"].update(complete=False), "changed"),
        (lambda e: e["certificate"].update(threads_deleted=4), "changed"),
        (lambda e: e["certificate"].update(more=1), "changed"),
        (lambda e: e["certificate"].update(threads_deleted=float("inf")), "changed"),
        (lambda e: e["certificate"].pop("id"), "changed"),
        (lambda e: e["certificate"]["keys"][0].update(key="another"), "changed"),
        (lambda e: e["certificate"].update(format="v2"), "another format"),
        (lambda e: e.update(algorithm="none"), "another format"),
        (lambda e: e.update(public_key=base64url.encode(bytes(32))), "another site"),
        (lambda e: e.update(signature=""), "changed"),
        (lambda e: e.update(signature=None), "changed"),
        (lambda e: e.update(signature=e["signature"][::-1]), "changed"),
        (lambda e: e.update(certificate=[]), "no certificate"),
        (lambda e: e.pop("signature"), "no certificate"),
    ],
)
def test_whatever_is_changed_is_noticed(change: Any, why: str) -> None:
    with pytest.raises(CertificateInvalid, match=why):
        verify_certificate(tampered(change), public_key=certificate_key())


def test_no_changed_character_of_what_is_certified_goes_unnoticed(proof: Proof) -> None:
    text = issue_certificate(FACTS)
    key, noticed = certificate_key(), 0
    for place, character in enumerate(text):
        other = "b" if character != "b" else "c"
        with pytest.raises(CertificateInvalid):
            verify_certificate(text[:place] + other + text[place + 1 :], public_key=key)
        noticed += 1

    assert noticed == len(text)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, '{"a": 1}'])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(CertificateInvalid):
        verify_certificate(text, public_key=certificate_key())


def test_the_key_is_kept_sealed_stays_the_same_and_is_another_for_another_purpose() -> None:
    before = certificate_key()
    forget_site_secrets()

    assert certificate_key() == before
    assert site_public_key("something-else") != before
    assert not is_signed_by(before, sign_as_site("something-else", b"x"), b"x")
    assert SiteSecret.objects.get(name="signature").token.startswith("ckp1.")


def test_the_command_says_whether_it_holds(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(issue_certificate(FACTS))
    bad.write_text(tampered(lambda e: e["certificate"].update(threads_deleted=4)))
    out, err = StringIO(), StringIO()

    call_command("verify_certificate", str(good), stdout=out)
    with pytest.raises(SystemExit) as failed:
        call_command("verify_certificate", str(bad), stderr=err)
    with pytest.raises(CommandError, match="can't be read"):
        call_command("verify_certificate", str(tmp_path / "none.json"))

    assert out.getvalue().startswith("The certificate holds.")
    assert '"threads_deleted": 3' in out.getvalue()
    assert failed.value.code == 1
    assert "DOES NOT HOLD" in err.getvalue()
