"""K6, K11, K12: a Secret is shown nowhere, whatever is done to it."""

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from encryption.secret import MASK, Secret

CANARY = "sk-" + "test-" + "k4n4r1enV0gel" * 3


@dataclasses.dataclass(frozen=True)
class Holder:
    key: Secret


@pytest.mark.proof("K6")
@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param("{}".format, id="format"),
        pytest.param("{:>60}".format, id="format with a width"),
        pytest.param("{0!r:.50}".format, id="format of the repr"),
        pytest.param(lambda secret: f"{secret} {secret!s} {secret!r} {secret!a}", id="f-string"),
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031 - as log calls format
        pytest.param(lambda secret: repr(Holder(secret)), id="dataclass"),
        pytest.param(lambda secret: pprint.pformat({"key": [secret]}), id="pprint"),
        pytest.param(lambda secret: json.dumps([secret], default=str), id="json with str for what is unknown"),
    ],
)
def test_it_prints_as_a_mask(shown):
    text = shown(Secret(CANARY))

    assert CANARY not in text
    assert "Secret(" in text or "Secret(\\u2026)" in text


@pytest.mark.proof("K6")
@pytest.mark.parametrize(
    "take",
    [
        *(pytest.param(lambda secret, n=n: pickle.dumps(secret, protocol=n), id=f"pickle {n}") for n in range(6)),
        pytest.param(lambda secret: pickle.dumps({"key": Holder(secret)}), id="pickle of its holder"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(lambda secret: dataclasses.asdict(Holder(secret)), id="asdict of its holder"),
        pytest.param(lambda secret: secret.__getstate__(), id="state"),
        pytest.param(lambda secret: secret.__reduce__(), id="reduce"),
        pytest.param(json.dumps, id="json"),
        pytest.param(lambda secret: json.dumps(secret, cls=DjangoJSONEncoder), id="Django's json"),
        pytest.param(hash, id="hash"),
        pytest.param(lambda secret: {secret}, id="set"),
        pytest.param(vars, id="vars"),
        pytest.param(iter, id="iter"),
        pytest.param(len, id="len"),
        pytest.param(bytes, id="bytes"),
        pytest.param("".join, id="join"),
        pytest.param(lambda secret: "x" + secret, id="concatenation"),
    ],
)
def test_it_cannot_be_taken_apart(take):
    with pytest.raises(TypeError) as refusal:
        take(Secret(CANARY))

    assert CANARY not in str(refusal.value)


def test_only_reveal_gives_the_text():
    secret = Secret(CANARY)

    assert secret.reveal() == CANARY
    public = [name for name in dir(secret) if not name.startswith("_")]
    assert public == ["reveal"]


def test_it_never_changes():
    secret = Secret(CANARY)

    with pytest.raises(AttributeError):
        secret.other = "x"
    with pytest.raises(AttributeError):
        secret._Secret__value = "x"
    with pytest.raises(AttributeError):
        del secret._Secret__value
    assert secret.reveal() == CANARY


def test_it_equals_a_secret_of_the_same_text_and_nothing_else():
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret("größe") == Secret("größe")
    assert Secret(CANARY) != Secret(CANARY[:-1])
    assert Secret(CANARY) != CANARY
    assert Secret(CANARY) is not None


@pytest.mark.parametrize("value", [None, 5, b"bytes", Secret("x")])
def test_what_is_no_text_makes_no_secret(value):
    with pytest.raises(TypeError):
        Secret(value)


@pytest.mark.proof("K6")
def test_blank_and_broken_text_is_refused_without_being_repeated():
    with pytest.raises(ValueError, match="empty"):
        Secret("")
    with pytest.raises(ValueError, match="Unicode") as refusal:
        Secret(CANARY + "\ud800")

    assert CANARY not in "".join(traceback.format_exception(refusal.value))
    assert refusal.value.__context__ is None


@pytest.mark.proof("K6")
def test_an_error_about_its_holder_shows_only_the_mask(caplog):
    holder = Holder(Secret(CANARY))

    try:
        raise RuntimeError(f"could not use {holder}")
    except RuntimeError:
        logging.getLogger("tests").exception("failed with %s", holder)

    assert CANARY not in caplog.text
    assert MASK in caplog.text
