"""Real workers and beats: killed in mid-check, doubled, on both brokers; each check is done once."""

import json
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone

from key_health.models import CheckPlan, KeyCheck
from sandbox.testing import Sandbox
from tenants.models import Verdict
from tests.key_health.cast import Customer
from tests.key_health.processes import BEAT, WORKER, environment, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["filesystem", "redis"])
def broker(request: pytest.FixtureRequest) -> str:
    if request.param == "filesystem":
        return "filesystem://"
    if not settings.REDIS_URL:
        pytest.skip("runs in the suite's second pass, on PostgreSQL and Redis")
    return urlsplit(settings.REDIS_URL)._replace(path="/15").geturl()


@pytest.mark.proof("I5")
def test_a_check_whose_worker_is_killed_is_done_by_the_next_one_once(
    sandbox: Sandbox, alder: Customer, birch: Customer, broker: str, tmp_path: Path
) -> None:
    env = environment(tmp_path / "var", base_url=sandbox.base_url, broker=broker)
    sandbox.set_host("hang")

    with running(BEAT, env, name="beat"):
        with running(WORKER, env, name="first-worker") as worker:
            eventually(lambda: len(sandbox.calls()) == 4)
            worker.kill()
        claimed = CheckPlan.objects.filter(claim__isnull=False, claimed_until__gt=timezone.now()).count()
        sandbox.set_host("up")
        # The claims run out by themselves after a minute.
        CheckPlan.objects.filter(claim__isnull=False).update(claimed_until=timezone.now())
        with running(WORKER, env, name="second-worker"):
            eventually(lambda: KeyCheck.objects.count() == 4)

    assert claimed == 4
    assert Counter(KeyCheck.objects.values_list("key", "assistant")).most_common(1)[0][1] == 1
    assert {alder.verdict, birch.verdict, alder.pair.verdict, birch.pair.verdict} == {Verdict.HEALTHY}
    assert sandbox.live_sessions() == []


@pytest.mark.proof("I6")
def test_two_beats_and_two_workers_do_each_check_once(
    sandbox: Sandbox, alder: Customer, birch: Customer, tmp_path: Path
) -> None:
    env = environment(tmp_path / "var", base_url=sandbox.base_url)
    sandbox.set_latency(300)
    second_beat = [*BEAT, "-s", str(tmp_path / "second-beat")]

    with (
        running(BEAT, env, name="beat-1"),
        running(second_beat, env, name="beat-2"),
        running([*WORKER, "-n", "one"], env, name="worker-1"),
        running([*WORKER, "-n", "two"], env, name="worker-2"),
    ):
        eventually(lambda: KeyCheck.objects.count() == 4)
        for round_number in range(2, 4):
            CheckPlan.objects.filter(claim=None).update(due_at=timezone.now())
            eventually(lambda wanted=4 * round_number: KeyCheck.objects.count() == wanted)

    checks = Counter(KeyCheck.objects.values_list("key", "assistant"))
    assert set(checks.values()) == {3}
    assert len([call for call in sandbox.calls() if call["method"] == "GET"]) == 6


@pytest.mark.proof("I5")
def test_a_worker_stops_in_order_and_its_log_is_json_without_a_secret(
    sandbox: Sandbox, alder: Customer, tmp_path: Path
) -> None:
    env = environment(tmp_path / "var", base_url=sandbox.base_url)

    with running(BEAT, env, name="beat"), running(WORKER, env, name="worker") as worker:
        eventually(lambda: KeyCheck.objects.count() >= 2)
        code = worker.stop()

    lines = worker.log.read_text().splitlines()
    assert code == 0
    assert any(json.loads(line)["logger"].startswith("celery") for line in lines if line.startswith("{"))
    assert alder.secret not in "".join(lines)
