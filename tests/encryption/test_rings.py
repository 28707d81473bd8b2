"""E6: a ring that is unfit is refused with a sentence that names the cure and nothing of the key."""

import base64
import copy
import pickle
import secrets

import pytest
from django.core.exceptions import ImproperlyConfigured

from encryption.providers import LocalKeyring
from encryption.ring import parse_keys
from tests.encryption.keys import key, raw_key, ring


def test_the_first_key_encrypts_and_all_are_there():
    keys = parse_keys(ring("new", "old"), purpose="MASTER_KEYS")

    assert keys.primary_id == "new"
    assert keys.ids == ("new", "old")
    assert keys.key("old") == raw_key("old")


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda raw: base64.b64encode(raw).decode(), id="base64"),
        pytest.param(lambda raw: base64.urlsafe_b64encode(raw).decode(), id="base64url"),
        pytest.param(lambda raw: base64.b64encode(raw).decode().rstrip("="), id="no padding"),
        pytest.param(lambda raw: f" {base64.b64encode(raw).decode()}\n", id="blanks around"),
    ],
)
def test_a_key_may_be_written_in_either_base64(spelling):
    raw = b"\xfb\xff" + raw_key("x")[2:]

    keys = parse_keys(f"a:{spelling(raw)}", purpose="MASTER_KEYS")

    assert keys.key("a") == raw


def short(length):
    return base64.b64encode(raw_key("s")[:length]).decode()


def bad(raw):
    return "a:" + base64.b64encode(raw).decode()


@pytest.mark.proof("E6")
@pytest.mark.parametrize(
    ("text", "cure"),
    [
        pytest.param("", "is not set. Make a key with `openssl rand -base64 32`", id="nothing"),
        pytest.param(" \n", "is not set", id="blank"),
        pytest.param(key("a"), "the id is missing", id="no id"),
        pytest.param(f":{key('a')}", "the id before the colon", id="blank id"),
        pytest.param(f"{key('a')}:a", "the id before the colon", id="key and id swapped"),
        pytest.param(f"Über:{key('a')}", "the id before the colon", id="id with capitals"),
        pytest.param(f"{'a' * 33}:{key('a')}", "the id before the colon", id="id too long"),
        pytest.param(f"a.b:{key('a')}", "the id before the colon", id="id with a dot"),
        pytest.param("a:", "has 0 bytes, 32 are needed", id="no key"),
        pytest.param(f"a:{short(31)}", "has 31 bytes, 32 are needed", id="31 bytes"),
        pytest.param(f"a:{short(16)}", "has 16 bytes, 32 are needed", id="16 bytes"),
        pytest.param("a:" + base64.b64encode(raw_key("a") + b"x").decode(), "has 33 bytes", id="33 bytes"),
        pytest.param("a:" + raw_key("a").hex(), "has 48 bytes", id="hex"),
        pytest.param("a:not/base64!", "is not base64", id="no base64"),
        pytest.param(f"a:{key('a')[:-5]}ü{key('a')[-4:]}", "is not base64", id="not ASCII"),
        pytest.param(bad(bytes(32)), "is an example or typed text", id="all zero"),
        pytest.param(bad(b"\xff" * 32), "is an example or typed text", id="all ones"),
        pytest.param(bad(bytes(range(32))), "is an example or typed text", id="counting up"),
        pytest.param(bad(bytes(range(255, 223, -1))), "is an example or typed text", id="counting down"),
        pytest.param(bad(bytes(range(0, 224, 7))), "is an example or typed text", id="counting in sevens"),
        pytest.param(bad(raw_key("a")[:16] * 2), "is an example or typed text", id="half a key twice"),
        pytest.param(bad(b"change-me-please-to-32-characters"[:32]), "is an example or typed text", id="typed"),
        pytest.param(f"{ring('a')},a:{key('b')}", "entry 2: its id is used twice", id="an id twice"),
        pytest.param(f"{ring('a')},b:{key('a')}", "entry 2: the same key stands there twice", id="a key twice"),
        pytest.param(f"{ring('a')},", "entry 2: the id is missing", id="comma at the end"),
        pytest.param(ring("django"), "this is the SECRET_KEY", id="Django's own key"),
        pytest.param(ring("django").rstrip("="), "this is the SECRET_KEY", id="Django's own key, no padding"),
    ],
)
def test_an_unfit_ring_is_refused_with_its_cure(text, cure):
    with pytest.raises(ImproperlyConfigured) as refusal:
        parse_keys(text, purpose="MASTER_KEYS", secret_key=key("django"))

    message = str(refusal.value)
    assert message.startswith("MASTER_KEYS")
    assert cure in message
    longest = max((part for entry in text.split(",") for part in entry.strip().split(":")), key=len)
    assert len(longest) < 20 or longest not in message


def test_a_key_is_weak_by_its_bytes_alone():
    """The border on either side: 19 and 20 different bytes; printable text, and the same with one byte that is none."""
    typed = b" abcdefghijklmnopqrstuvwxyz0123~"

    for weak in (bytes([*range(0, 190, 10), *[0] * 13]), typed):
        with pytest.raises(ImproperlyConfigured, match="example or typed"):
            parse_keys(bad(weak), purpose="MASTER_KEYS")
    for fit in (bytes([*range(0, 200, 10), *[0] * 12]), typed[:-1] + b"\x7f", b"\x1f" + typed[1:]):
        assert parse_keys(bad(fit), purpose="MASTER_KEYS").key("a") == fit


def test_a_random_key_is_never_called_weak():
    for _ in range(2_000):
        parse_keys("a:" + base64.b64encode(secrets.token_bytes(32)).decode(), purpose="MASTER_KEYS")


def test_a_ring_shows_its_ids_and_never_its_keys():
    keys = parse_keys(ring("a", "b"), purpose="MASTER_KEYS")

    assert repr(keys) == "KeyRing(a, b)"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(keys)
        with pytest.raises(TypeError):
            take(LocalKeyring(keys))


def test_a_key_that_is_not_in_the_ring_is_not_found():
    with pytest.raises(KeyError):
        parse_keys(ring("a"), purpose="MASTER_KEYS").key("b")
