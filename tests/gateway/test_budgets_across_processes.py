"""L6: processes whose runs spend one budget at the same moment, until nothing is left; and one that is killed in between."""

import secrets
import subprocess
import sys

import pytest
from django.conf import settings

from tests.platform_server import ROOT
from tests.proof.plugin import Proof

PROCESSES, TASKS = 3, 16
MOST, AMOUNT = 4_000, 100


def start(url: str, key: str, *, tasks: int = TASKS, dies: bool = False) -> "subprocess.Popen[str]":
    numbers = [str(int(number)) for number in (MOST, AMOUNT, tasks, dies)]
    command = [sys.executable, "-m", "tests.gateway.budget_crowd", url, key, *numbers]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("now\n")
    process.stdin.flush()


def spent(url: str, *, with_one_that_dies: bool = False) -> list[tuple[int, int]]:
    """By process: what its runs used, and how many they were."""
    key = secrets.token_hex(8)
    crowd = [start(url, key) for _ in range(PROCESSES)]
    dying = start(url, key, tasks=5, dies=True) if with_one_that_dies else None
    try:
        for process in [*crowd, *([dying] if dying else [])]:
            assert line_of(process) == "ready"
        if dying is not None:
            go(dying)
            assert [line_of(dying) for _ in range(5)] == ["holding"] * 5
            dying.kill()
            dying.communicate()
        for process in crowd:
            go(process)
        answers = [process.communicate(timeout=60)[0].split() for process in crowd]
    finally:
        for process in [*crowd, *([dying] if dying else [])]:
            process.kill()
            process.wait()
    return [(int(used), int(runs)) for used, runs, _ in answers]


@pytest.mark.proof("L6")
def test_with_redis_a_budget_is_spent_whole_and_overrun_by_less_than_one_reservation(
    on_services: None, proof: Proof
) -> None:
    each = spent(settings.REDIS_URL)

    used = sum(used for used, _ in each)
    assert MOST <= used < MOST + AMOUNT
    assert min(runs for _, runs in each) > 0
    proof.record(budget=MOST, reservation=AMOUNT, used=used, runs=sum(runs for _, runs in each))


def test_what_a_killed_process_held_is_free_again_when_its_hold_lapses(on_services: None) -> None:
    """Else the others would wait for the rest of the budget for ever, since they stop only when all is used."""
    used = sum(used for used, _ in spent(settings.REDIS_URL, with_one_that_dies=True))

    assert MOST <= used < MOST + AMOUNT


def test_without_redis_each_process_keeps_the_budget_by_itself() -> None:
    for used, _ in spent(""):
        assert MOST <= used < MOST + AMOUNT
