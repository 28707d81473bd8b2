"""L6: four processes with 32 callers each, at the same moment, under one limit and one quota."""

import secrets
import subprocess
import sys

import pytest
from django.conf import settings

from tests.platform_server import ROOT
from tests.proof.plugin import Proof

PROCESSES, CALLERS, CALLS = 4, 32, 3
PER_MINUTE, MOST = 20, 50


def admitted(url: str) -> list[tuple[int, int]]:
    """By process: by the limit, by the quota."""
    key = secrets.token_hex(8)
    numbers = [str(number) for number in (PER_MINUTE, MOST, CALLERS, CALLS)]
    command = [sys.executable, "-m", "tests.gateway.limit_crowd", url, key, *numbers]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}", "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    crowd = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    try:
        for process in crowd:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in crowd:
            assert process.stdin is not None
            process.stdin.write("now\n")
            process.stdin.flush()
        answers = [process.communicate(timeout=60)[0].split() for process in crowd]
    finally:
        for process in crowd:
            process.kill()
            process.wait()
    return [(int(by_limit), int(by_quota)) for by_limit, by_quota in answers]


@pytest.mark.proof("L6")
def test_with_redis_exactly_n_are_admitted_and_never_more_than_the_quota(on_services: None, proof: Proof) -> None:
    runs = proof.size(reduced=1, full=10)

    for _ in range(runs):
        each = admitted(settings.REDIS_URL)

        # One more each three seconds is admitted anew.
        assert PER_MINUTE <= sum(by_limit for by_limit, _ in each) <= PER_MINUTE + 1
        assert sum(by_quota for _, by_quota in each) == MOST

    proof.record(processes=PROCESSES, callers=CALLERS, limit=PER_MINUTE, quota=MOST, quota_exceeded_by=0)


@pytest.mark.proof("L6")
def test_without_redis_each_process_admits_n_and_no_more(proof: Proof) -> None:
    """The stated tolerance: n processes up to n times the limit, and none of them more than the limit itself."""
    each = admitted("")

    assert all(PER_MINUTE <= by_limit <= PER_MINUTE * 1.25 for by_limit, _ in each)
    assert {by_quota for _, by_quota in each} == {MOST}
    proof.record(most_by_one_process=max(by_limit for by_limit, _ in each), limit=PER_MINUTE)
