"""Real worker and beat: the pulse comes, and each that is killed is named."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.utils import timezone

from doctor import work_checks
from doctor.findings import Level
from doctor.models import Pulse
from sandbox.testing import Sandbox
from tests.key_health.processes import BEAT, WORKER, environment, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def test_worker_and_beat_are_alive_and_whichever_is_killed_is_named(
    tmp_path: Path, sandbox: Sandbox, settings: Any
) -> None:
    env = environment(tmp_path / "var", base_url=sandbox.base_url, broker=site.CELERY_BROKER_URL)
    if settings.BROKER_FOLDERS:
        settings.BROKER_FOLDERS = [str(tmp_path / "var" / "broker" / "messages")]

    def found() -> tuple[Level, Level]:
        return work_checks.worker().level, work_checks.beat().level

    assert found() == (Level.FAIL, Level.FAIL)
    with running(BEAT, env, name="beat") as beat:
        with running(WORKER, env, name="worker"):
            eventually(lambda: found() == (Level.OK, Level.OK))
        # Killed here; and as if some time had passed.
        Pulse.objects.update(at=timezone.now() - timedelta(minutes=10))
        eventually(lambda: found() == (Level.FAIL, Level.OK), seconds=20)
        assert work_checks.broker().level is Level.OK
        assert "no worker takes them" in work_checks.worker().sentence
        beat.kill()
