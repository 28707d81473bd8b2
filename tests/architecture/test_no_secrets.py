"""K13: no file of the repository holds what looks like a live secret, and what its examples say does not start anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from encryption.make_secrets import fresh_secrets
from encryption.signed import TokenKind, sign
from tests.architecture.test_house_rules import ROOT, tracked

SHAPES = {
    "OpenAI key": r"\bsk-[A-Za-z0-9_-]{16,}",
    "client secret": r"\bek_[A-Za-z0-9_-]{16,}",
    "domain key": r"\bdomain_pk_[A-Za-z0-9_-]{16,}",
    "signing secret": r"\bckp_sign_[A-Za-z0-9_-]{16,}",
    "signed token": r"\b[a-z]t1\.[a-z0-9-]{1,32}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{43}",
    "sealed secret": r"\bckp1\.[a-z0-9-]{1,32}\.[A-Za-z0-9_-]{40,}",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "another provider's key": r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza)[A-Za-z0-9_-]{16,}",
    "password in an address": r"\b[a-z]+://[^\s/:@${}\"'<]+:[^\s/:@${}\"'<]{12,}@",
    # 32 random bytes, as rings, salts and MACs are written; a random one has all three kinds of character.
    "32 bytes in base64": r"(?<![\w+/=-])(?=[\w+/-]*[a-z])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[0-9])[A-Za-z0-9+/_-]{43}=?(?![\w+/=-])",
}
# Made up, and written out because a test needs exactly them. Keys for the sandbox open nothing but the sandbox.
MADE_UP = re.compile(
    r"(?:sk|ek)[-_]sandbox[-_]\w+"
    r"|ckp1\.then\.fuPbe7VTY3xEq0VgtdxWkoJHe_0EwaqbUNHy5_RD784B9TcS7PzcY6JkP2T7v23-mi3ipOXwKy2kvLsR"  # a ring of a word
    r"|qSK748x7L-twAnn4lEBcvNWEFT6wYOGAbecSk-Zr8a8"  # the upstream user of a frozen example
)
# Hashes of what is downloaded are no secrets.
LOCKS = re.compile(r"requirements/.*\.txt|.*(?:package-lock\.json|pnpm-lock\.yaml)|docs/proof/.*\.json")


def found_in(text: str) -> list[str]:
    hits = [(shape, hit) for shape, pattern in SHAPES.items() for hit in re.findall(pattern, text)]
    # The kind alone: the report of a leak is no place for the secret.
    return [shape for shape, hit in hits if not MADE_UP.fullmatch(hit)]


@pytest.mark.proof("K13")
def test_no_file_holds_what_looks_like_a_live_secret(proof) -> None:
    files = [file for file in tracked() if not LOCKS.fullmatch(str(file.relative_to(ROOT)))]

    found = {str(file.relative_to(ROOT)): hits for file in files if (hits := found_in(file.read_text("latin-1")))}

    proof.record(files=len(files), findings=len(found))
    assert len(files) > 300
    assert found == {}


@pytest.mark.proof("K13")
def test_the_search_finds_live_secrets() -> None:
    made = fresh_secrets()
    live = {
        "OpenAI key": "sk-" + "proj-" + made["SECRET_KEY"],
        "client secret": "ek_" + made["SECRET_KEY"],
        "domain key": "domain_" + "pk_" + made["SECRET_KEY"],
        "signing secret": "ckp_" + "sign_" + made["SECRET_KEY"],
        "signed token": sign(TokenKind(version="vt1", label="visitor-token", max_length=400), b"x" * 26, context=""),
        "sealed secret": "ckp1.k1." + made["SECRET_KEY"],
        "private key": "-----BEGIN " + "EC PRIVATE KEY-----",
        "another provider's key": "gh" + "p_" + "a1B2" * 9,
        "password in an address": "postgres://app:" + made["SECRET_KEY"] + "@db/app",
    }

    assert {shape: shape in found_in(f'KEY="{secret}"') for shape, secret in live.items()} == dict.fromkeys(live, True)
    # One in a thousand random rings happens to have no digit.
    rings = [fresh_secrets()["MASTER_KEYS"].partition(":")[2] for _ in range(200)]
    assert sum("32 bytes in base64" in found_in(f"MASTER_KEYS=k1:{each}") for each in rings) >= 190


@pytest.mark.proof("K13")
@pytest.mark.parametrize("process", [["manage.py", "check"], ["-m", "uvicorn", "config.asgi:application"]])
def test_the_example_environment_starts_nothing(process: list[str], tmp_path: Path) -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    example |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "VAR_DIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, *process], cwd=ROOT, env=example, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr
