"""I8: two processes behind a load balancer are restarted in turns, again and again, under a steady stream of sessions."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest
from tests.platform_server import Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import environment_for, open_shop
from tests.sessions_api.load import Load, p99, wait_until, written

# A request that was sent has been read by then, and its session is being minted.
UNDER_WAY_SECONDS = 1.0
LATENCY_MS = 2_000


class Rotation:
    """What a load balancer does: calls go to those that are in; one is taken out before it is told to end."""

    def __init__(self, environment: dict[str, str], stack: ExitStack) -> None:
        self._environment = environment
        self._stack = stack
        self.inside: list[Platform] = [self._start(), self._start()]
        self.log = ""

    def _start(self) -> Platform:
        return self._stack.enter_context(running_platform(**self._environment))

    def replace_oldest(self, load: Load) -> None:
        new = self._start()
        old, self.inside[:] = self.inside[0], [self.inside[1], new]
        wait_until(lambda: not load.has_unsent(old))
        time.sleep(UNDER_WAY_SECONDS)
        # Mints that take a while are in work now, and must still be answered and recorded.
        old.terminate()
        # Once it has ended in order, uvicorn raises the signal anew, so that its parent sees what ended it.
        assert old.wait(seconds=30) in {0, -signal.SIGTERM}
        self.log += old.log


@contextmanager
def rotation(environment: dict[str, str]) -> Iterator[Rotation]:
    with ExitStack() as stack:
        yield Rotation(environment, stack)


@pytest.mark.proof("I8")
@pytest.mark.timeout(3_600)
def test_no_request_fails_and_no_row_is_lost(
    sandbox: Sandbox, transactional_db: None, tmp_path: Path, proof: Proof
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    # All visitors are one tenant's, and each takes seconds: its share of a process must hold them all.
    room = {"TENANT_CONCURRENCY": "200", "SPOOL_DIR": str(tmp_path / "spool")}
    environment = {**environment_for(sandbox), **room}
    restarts = proof.size(reduced=2, full=20)
    with rotation(environment) as processes:
        for process in processes.inside:
            assert shop.ask(process).status == 200
        sandbox.set_latency(LATENCY_MS)
        with Load(shop=shop, rotation=processes.inside, visitors=proof.size(reduced=16, full=100)).running() as load:
            for _ in range(restarts):
                # Both, one after the other: a whole release.
                processes.replace_oldest(load)
                processes.replace_oldest(load)
        sandbox.set_latency(0)

    granted = load.granted
    assert set(load.codes) == {"granted"}
    assert written(granted) == dict.fromkeys(granted, 1)
    assert SessionRequest.objects.filter(outcome="granted").count() == LiveSession.objects.count() == len(granted) + 2
    assert len(sandbox.live_sessions()) == len(granted) + 2
    assert list((tmp_path / "spool").iterdir()) == []
    assert "Traceback" not in processes.log
    proof.record(restarts=restarts, sessions=len(granted), p99_s=round(p99([one.seconds for one in load.told]), 2))
