"""A planted key appears nowhere: not in pages, answers, logs, messages, audit rows, exports, nor in the database's own bytes."""

import json
import time
from pathlib import Path

import pytest
import requests

from sandbox.faults import FAULTS
from sandbox.testing import Sandbox
from tests.journeys.canary import Canary
from tests.journeys.commands import manage
from tests.journeys.console import Console
from tests.journeys.demo import Demo
from tests.proof.plugin import Proof

pytestmark = pytest.mark.demo


@pytest.mark.proof("K1", "K2", "K3", "K6", "K7")
def test_a_planted_key_is_found_nowhere(demo: Demo, proof: Proof) -> None:
    canary = Canary.plant("sk-sandbox-")
    origin = "https://canary.example"
    said = manage(
        demo,
        *("register_tenant", "--name", "Canary", "--slug", "canary", "--domain", origin, "--upstream", "sandbox"),
        *("--assistant-name", "Canary", "--workflow", "wf_sandbox_canary"),
        OPENAI_API_KEY=canary.text,
    )
    public_id = json.loads(said.stdout)["public_id"]
    answers = walk_through_faults(demo, canary, public_id, origin)

    leaks = {f"answer {number}": found for number, text in enumerate(answers) if (found := canary.found_in(text))}
    leaks |= {"the command": found} if (found := canary.found_in(said.stdout + said.stderr)) else {}
    leaks |= leaks_of_the_console(demo, canary)
    files = [file for file in sorted(demo.var.rglob("*")) if file.is_file()]
    leaks |= {str(file.relative_to(demo.var)): found for file in files if (found := canary.found_in(read(file)))}
    dump = manage(demo, "dumpdata").stdout
    leaks |= {"dumpdata": found} if (found := canary.found_in(dump)) else {}

    proof.record(answers=len(answers), files=len(files), forms=len(canary.forms), leaks=len(leaks))
    assert leaks == {}
    # The search itself works: what is told on purpose is there to be found.
    assert canary.text[-4:] in dump
    assert canary.found_in(json.dumps({"key": canary.text}))


def walk_through_faults(demo: Demo, canary: Canary, public_id: str, origin: str) -> list[str]:
    """Sessions and checks while OpenAI refuses the key and echoes it; everything that the platform answered."""
    sandbox = Sandbox(demo.sandbox)
    echoes = [name for name in FAULTS if name.startswith("echo_key")]
    assert len(echoes) >= 10
    answers = []
    for echo in echoes:
        sandbox.fault(echo, key=canary.text, count=1)
        answers.append(ask(demo, public_id, origin))
    for state in ("invalid", "unscoped", "billing", "throttled"):
        sandbox.set_key(canary.text, state)
        answers += [ask(demo, public_id, origin) for _ in range(2)]
    wait_for_a_check(demo)
    sandbox.set_key(canary.text, "valid")
    return answers


def ask(demo: Demo, public_id: str, origin: str) -> str:
    answer = requests.post(demo.session_address(public_id), json={}, headers={"Origin": origin}, timeout=20)
    return f"{answer.status_code} {answer.headers} {answer.text}"


def wait_for_a_check(demo: Demo) -> None:
    """Until a check of the worker's has met the key in this state, so that its trace is in logs and rows."""
    sandbox = Sandbox(demo.sandbox)
    since = len(sandbox.calls(method="GET", path="/chatkit/threads"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(sandbox.calls(method="GET", path="/chatkit/threads")) > since + 3:
            return
        time.sleep(0.5)
    raise AssertionError("No check of the worker's was seen within 60 s.")


def leaks_of_the_console(demo: Demo, canary: Canary) -> dict[str, list[str]]:
    console = Console(demo)
    pages = dict(console.crawl())
    assert len(pages) > 20
    return {
        path: found
        for path, page in pages.items()
        if (found := canary.found_in(page.content + str(page.headers).encode()))
    }


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        # A message that the worker took while we looked.
        return b""
