"""A2: one chain without forks or gaps, however many threads and processes write at once."""

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection, transaction

from audit.actions import Action
from audit.chain import verify_chain
from audit.models import AuditEvent
from audit.record import SYSTEM, Subject, record
from tests.key_health.processes import ROOT, environment

IN_A_PROCESS = """
import sys, django
django.setup()
from tests.audit.test_writers_at_once import write
print(write(sys.argv[1], float(sys.argv[2])))
"""


class TurnedBack(Exception):
    """A change that fails after its event was written."""


def write(writer: str, seconds: float) -> int:
    """Appends for so long and turns every fifth change back; gives the number of events that stayed."""
    turns = 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        turns += 1
        with suppress(TurnedBack), transaction.atomic():
            record(Action.TENANT_CHANGED, actor=SYSTEM, subject=Subject("t", writer, f"{writer}/{turns}"))
            if turns % 5 == 0:
                raise TurnedBack
    return turns - turns // 5


@pytest.mark.proof("A2")
@pytest.mark.django_db(transaction=True)
def test_threads_and_processes_at_once_make_one_chain_without_forks_or_gaps(tmp_path: Path, proof) -> None:
    seconds = proof.size(reduced=1, full=60)
    writers = proof.size(reduced=3, full=8)
    written: list[int] = []

    def write_in_a_thread(number: int) -> None:
        try:
            written.append(write(f"thread {number}", seconds))
        finally:
            connection.close()

    env = environment(tmp_path / "var", base_url="http://127.0.0.1:9/v1")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", IN_A_PROCESS, f"process {number}", str(seconds)],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(writers)
    ]
    threads = [threading.Thread(target=write_in_a_thread, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written += [int(process.communicate(timeout=60)[0]) for process in processes]

    result = verify_chain()
    proof.record(writers=2 * writers, seconds_of_writing=seconds, events=result.checked, forks=0, gaps=0)
    assert len(written) == 2 * writers
    assert result.holds
    assert result.checked == sum(written)
    assert list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, result.checked + 1))
