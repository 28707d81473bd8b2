"""The search for a planted key finds each form in which it could have leaked: a form that never matches proves nothing."""

import base64
import json
import urllib.parse
from collections.abc import Callable

import pytest

from tests.journeys.canary import SLICE, Canary

LEAKS: dict[str, Callable[[str], str]] = {
    "slice": lambda text: text[-SLICE - 4 : -4],
    "reversed": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "url": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "json": lambda text: '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"',
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("before", ["", ".", "..", "key="])
def test_each_form_of_a_leak_is_found(name: str, before: str) -> None:
    canary = Canary.plant("sk-sandbox-")

    found = canary.found_in(f'{{"log": "{before}{LEAKS[name](canary.text)}..."}}')

    assert any(form.startswith(name) for form in found)


@pytest.mark.parametrize("shift", range(3))
def test_base64_is_found_wherever_the_key_stands_in_what_was_encoded(shift: int) -> None:
    canary = Canary.plant("sk-sandbox-")
    whole = json.dumps({"x" * shift: canary.text, "more": 1}).encode()

    assert any(name.startswith("base64 ") for name in canary.found_in(base64.b64encode(whole)))
    assert any(name.startswith("base64url ") for name in canary.found_in(base64.urlsafe_b64encode(whole)))


def test_every_form_is_one_that_something_undoes_into_the_key() -> None:
    canary = Canary.plant("sk-sandbox-")
    forms = {name: form.decode() for name, form in canary.forms.items()}

    assert urllib.parse.unquote(forms["url"]) == urllib.parse.unquote(forms["percent"]) == canary.text[-40:]
    assert json.loads(f'"{forms["json"]}"') == canary.text[-40:-20]
    assert bytes.fromhex(forms["hex"]).decode() == canary.text[-40:]


def test_another_key_is_not_found() -> None:
    canary, other = Canary.plant("sk-sandbox-"), Canary.plant("sk-sandbox-")

    assert [name for name, leak in LEAKS.items() if canary.found_in(leak(other.text))] == []
