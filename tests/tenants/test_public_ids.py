import hashlib
import hmac
import re

import pytest

from encryption.secret import Secret
from tenants import public_ids

KEY = Secret("a key for tests, " * 3)


def test_an_id_has_its_shape_and_is_genuine():
    public_id = public_ids.mint(KEY)

    assert re.fullmatch(r"tn_[0-9A-Za-z]{22}[0-9A-Za-z]{6}", public_id)
    assert public_ids.is_genuine(public_id, KEY)


def test_no_two_ids_are_the_same():
    assert len({public_ids.mint(KEY) for _ in range(5_000)}) == 5_000


def test_the_tail_is_what_its_specification_says():
    """Ids are on tenants' pages for good, so the rule may never change."""
    body = "0123456789ABCDEFabcdef"
    mac = hmac.digest(KEY.reveal().encode(), b"ckp/public-id/v1\x00" + body.encode(), hashlib.sha256)
    number = int.from_bytes(mac[:16], "big") % 62**6
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    tail = "".join(alphabet[number // 62**place % 62] for place in range(5, -1, -1))

    assert public_ids.is_genuine(f"tn_{body}{tail}", KEY)


def test_an_id_of_another_site_is_not_genuine():
    assert not public_ids.is_genuine(public_ids.mint(Secret("another key")), KEY)


def test_no_changed_character_goes_unnoticed():
    public_id = public_ids.mint(KEY)

    for place in range(len(public_id)):
        other = "A" if public_id[place] != "A" else "B"
        assert not public_ids.is_genuine(public_id[:place] + other + public_id[place + 1 :], KEY)


@pytest.mark.parametrize(
    "made_up", ["", "tn_", "tn_" + "a" * 27, "tn_" + "a" * 29, "tn_" + "a" * 28, "TN_" + "a" * 28, "a" * 9000, "tn_é"]
)
def test_what_is_no_id_is_not_genuine(made_up):
    assert not public_ids.is_genuine(made_up, KEY)


def test_an_id_with_something_around_it_is_not_genuine():
    public_id = public_ids.mint(KEY)

    for around in (public_id + "\n", " " + public_id, public_id + "/", public_id.upper(), public_id.swapcase()):
        assert not public_ids.is_genuine(around, KEY)
