"""A10, K1: a log entry is one line of JSON whatever is logged, and nothing in it looks like a credential."""

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.logs import redact

ROOT = Path(__file__).resolve().parents[2]
LOG_IT = """
import json, logging, sys, django
django.setup()
logger = logging.getLogger("some.room")
text = json.load(sys.stdin)
logger.info("said %s", text)
logger.info(text)
logger.info("extra", extra={"origin": text, "nested": {text: [text, {"deep": (text,)}]}})
try:
    raise ValueError(text)
except ValueError:
    logger.exception("failed")
"""
NASTY = 'a\r\nb\n{"event": "forged"}\x1b[31m\x00\u202e\u2028\u2029\x85\ud800' + "x" * 8192


def log(text: str) -> str:
    """What a process of ours writes when it logs this text in every way."""
    done = subprocess.run(
        [sys.executable, "-c", LOG_IT],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
            "LOG_LEVEL": "DEBUG",
        },
        input=json.dumps(text),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.proof("A10")
def test_hostile_text_is_logged_as_one_line_of_printable_json():
    lines = log(NASTY).removesuffix("\n").split("\n")

    entries = [json.loads(line) for line in lines]
    assert [entry["logger"] for entry in entries] == ["some.room"] * 4
    assert all(line.isascii() and line.isprintable() for line in lines)


@pytest.mark.proof("K1")
@pytest.mark.parametrize("head", ["sk-" + "proj-", "Bearer "])
def test_what_looks_like_a_credential_is_cut_before_it_is_written(head):
    tail = secrets.token_urlsafe(30)

    written = log(f"the header was {head}{tail}, they said")

    assert written.count("[redacted]") >= 4
    assert tail not in written
    assert "they said" in written


@pytest.mark.proof("K1")
@pytest.mark.parametrize(
    "head",
    [
        "sk-",
        "sk-" + "proj-",
        "ek_",
        "domain_" + "pk_",
        "vt1.k1.",
        "pt1.k1.",
        "ct1.k1.",
        "fl1.k1.",
        "ckp1.k1.",
        "ckp_" + "sign_",
        "eyJhbGciOiJIUzI1NiJ9.",
        "ops_",
        "Bearer ",
        "bearer ",
    ],
)
@pytest.mark.parametrize("before", ["", "key=", '"', "x_", "a/", "key%3D", "two\\n", "’"])
def test_every_kind_of_credential_is_cut_wherever_it_stands(head: str, before: str) -> None:
    tail = secrets.token_urlsafe(32)

    assert redact(f"{before}{head}{tail}, they said") == f"{before}[redacted], they said"


@pytest.mark.parametrize(
    "text",
    [
        "a risk-assessment of the task-forces",
        "gateway.ops_tokens",
        "gateway_opstoken, ops_token:created, ops_tokens_of_the_site",
        "week_number, geek_culture",
        "script1.javascript, opt1.optional",
        "the bearer of it",
        "sk-…1234",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("name", ["openai", "openai.agents", "chatkit", "httpx", "httpx2", "httpcore"])
def test_packages_that_print_what_visitors_say_are_silent_whatever_the_level(name: str) -> None:
    assert settings.LOGGING["loggers"][name]["level"] == "CRITICAL"
