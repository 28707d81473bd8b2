"""Each condition of the ground once, as a table: what is found, at which level, with which cure."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from doctor import ground_checks, work_checks
from doctor.examine import examine
from doctor.fetch import Fetched
from doctor.findings import Check, Level, fail, ok, warn, worst
from doctor.ground_checks import GIGABYTE, apart, plausible, room, sunset_of
from doctor.tenant_checks import judge
from doctor.web_checks import drift
from doctor.work_checks import Waiting, judge_beat, judge_worker, sent_at
from key_health.verdicts import Finding as KeyFinding
from tenants.models import Verdict

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOTHING = Waiting(0, None)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("last", "waiting", "overdue", "worker", "beat"),
    [
        (ago(3), NOTHING, 0, Level.OK, Level.OK),
        (ago(3), NOTHING, 7, Level.WARN, Level.OK),
        (None, NOTHING, 0, Level.FAIL, Level.FAIL),
        (ago(900), NOTHING, 0, Level.FAIL, Level.FAIL),
        (ago(900), Waiting(180, ago(4)), 0, Level.FAIL, Level.OK),
        (ago(900), Waiting(180, ago(800)), 0, Level.FAIL, Level.FAIL),
    ],
)
def test_worker_and_beat_are_told_apart_by_what_was_done_and_what_waits(last, waiting, overdue, worker, beat) -> None:
    assert judge_worker(last, waiting, overdue=overdue, now=NOW).level == worker
    assert judge_beat(last, waiting, now=NOW).level == beat


@pytest.mark.parametrize(
    ("message", "when"),
    [
        (b'{"headers": {"task": "doctor.pulse", "expires": "2026-06-01T12:00:00+00:00"}}', ago(5)),
        (b'{"headers": {"task": "key_health.tick", "expires": "2026-06-01T12:00:00+00:00"}}', None),
        (b'{"headers": {"task": "doctor.pulse", "expires": null}}', None),
        (b"no JSON", None),
    ],
)
def test_a_waiting_tick_says_when_beat_sent_it(message: bytes, when: datetime | None) -> None:
    assert sent_at(message) == when


@pytest.mark.parametrize(
    ("off", "level"),
    [(0, Level.OK), (-5, Level.OK), (5, Level.OK), (9, Level.WARN), (-9, Level.WARN), (3600, Level.WARN)],
)
def test_a_clock_that_is_more_than_five_seconds_off_is_told(off: int, level: Level) -> None:
    finding = drift(NOW, began=NOW.timestamp() + off, ended=NOW.timestamp() + off + 0.2)

    assert finding.level == level
    if level is Level.WARN:
        assert ("ahead of" if off > 0 else "behind") in finding.sentence


@pytest.mark.parametrize(
    ("count", "url", "level"),
    [
        (0, "http://127.0.0.1:8000", Level.OK),
        (1, "https://chat.example", Level.OK),
        (0, "https://chat.example", Level.WARN),
        (1, "http://chat.example", Level.WARN),
        (9, "https://chat.example", Level.WARN),
        (-1, "https://chat.example", Level.FAIL),
    ],
)
def test_the_count_of_proxies_is_compared_with_the_address(count: int, url: str, level: Level) -> None:
    assert plausible(count=count, url=url).level == level


@pytest.mark.parametrize(
    ("preview", "level"), [("https://preview.example", Level.OK), ("https://chat.example:8443", Level.FAIL)]
)
def test_the_preview_has_a_host_of_its_own(preview: str, level: Level) -> None:
    assert apart(console="https://chat.example", preview=preview).level == level


@pytest.mark.parametrize(
    ("free", "level"), [(50 * GIGABYTE, Level.OK), (GIGABYTE, Level.WARN), (GIGABYTE // 10, Level.FAIL)]
)
def test_a_disk_that_fills_up_is_told(free: int, level: Level) -> None:
    assert room("SPOOL_DIR", free=free, total=100 * GIGABYTE).level == level


@pytest.mark.parametrize(
    ("hosted", "days", "level"), [(0, -5, Level.OK), (3, 200, Level.OK), (3, 30, Level.WARN), (3, 0, Level.FAIL)]
)
def test_the_sunset_counts_who_depends_on_a_workflow(hosted: int, days: int, level: Level) -> None:
    day = date(2026, 11, 30)

    assert sunset_of(hosted, today=day - timedelta(days=days), day=day).level == level


@pytest.mark.parametrize(
    ("stored", "live", "level"),
    [
        (Verdict.HEALTHY, KeyFinding(Verdict.HEALTHY), Level.OK),
        (Verdict.BILLING, KeyFinding(Verdict.HEALTHY), Level.WARN),
        (Verdict.HEALTHY, KeyFinding(Verdict.THROTTLED), Level.WARN),
        *[
            (Verdict.HEALTHY, KeyFinding(verdict), Level.FAIL)
            for verdict in Verdict
            if verdict not in (Verdict.HEALTHY, Verdict.THROTTLED)
        ],
    ],
)
def test_what_openai_says_now_counts_more_than_the_verdict(stored: str, live: KeyFinding, level: Level) -> None:
    finding = judge(stored, None, live, healthy="It works")

    assert finding.level == level
    assert bool(finding.cure) == (level is not Level.OK)


def test_the_spool_is_empty_waits_hangs_or_has_lines_set_aside(tmp_path: Path, settings: Any) -> None:
    import os

    settings.SPOOL_DIR = tmp_path
    tmp_path.chmod(0o700)
    levels = [ground_checks.spool().level]
    waiting = tmp_path / "1.spool"
    waiting.write_bytes(b"x\n")
    levels.append(ground_checks.spool().level)
    os.utime(waiting, (1, 1))
    levels.append(ground_checks.spool().level)
    waiting.rename(tmp_path / "1.bad")
    levels.append(ground_checks.spool().level)
    tmp_path.chmod(0o755)
    opened = ground_checks.spool()

    assert levels == [Level.OK, Level.WARN, Level.FAIL, Level.FAIL]
    assert "chmod 0700" in opened.cure


def test_a_cache_that_is_away_is_a_failure(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }

    assert ground_checks.cache_answers().level is Level.FAIL


def test_a_broker_that_is_away_is_a_failure(settings: Any) -> None:
    settings.BROKER_FOLDERS, settings.CELERY_BROKER_URL = [], "redis://127.0.0.1:1/0"

    assert work_checks.broker().level is Level.FAIL


@pytest.mark.django_db
def test_master_keys_that_do_not_fit_are_a_failure(settings: Any) -> None:
    assert ground_checks.keys().level is Level.OK
    settings.SIGNING_KEYS = "short:c2hvcnQ="

    finding = ground_checks.keys()

    assert finding.level is Level.FAIL
    assert "docs/operating.md" in finding.cure
    assert "c2hvcnQ" not in finding.sentence + finding.cure


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": {"code": "token_invalid"}}', "token_invalid"),
        (b'{"error": {"code": "<b>your key sk-1 is wrong</b>"}}', ""),
        (b'{"error": "no"}', ""),
        (b"<html>", ""),
    ],
)
def test_foreign_text_is_never_shown(body: bytes, code: str) -> None:
    assert Fetched(500, {}, body).code == code


def test_several_things_that_are_wrong_are_one_finding_at_the_worst_level() -> None:
    finding = worst([ok("A."), warn("B.", "Do b."), fail("C.", "Do c.")], otherwise="Fine.")

    assert (finding.level, finding.sentence, finding.cure) == (Level.FAIL, "B. C.", "Do b. Do c.")
    assert worst([ok("A.")], otherwise="Fine.").sentence == "Fine."


def test_a_check_that_hangs_or_breaks_costs_the_others_nothing() -> None:
    import threading
    import time

    released = threading.Event()

    def breaks() -> Any:
        raise RuntimeError("sk-secret")

    checks = [
        Check("hangs", "hangs", lambda: ok("late") if released.wait(20) else ok("never"), deadline=0.3),
        Check("breaks", "breaks", breaks),
        Check("works", "works", lambda: ok("well")),
    ]
    began = time.monotonic()

    found = examine(checks, at_once=2)

    released.set()
    assert time.monotonic() - began < 2
    assert [finding.level for _, finding in found] == [Level.FAIL, Level.FAIL, Level.OK]
    assert "RuntimeError" in found[1][1].sentence
    assert "sk-secret" not in found[1][1].sentence


def test_all_checks_together_never_take_longer_than_they_may() -> None:
    import threading
    import time

    released = threading.Event()
    checks = [Check(str(number), "hangs", lambda: ok(str(released.wait(20)))) for number in range(5)]
    began = time.monotonic()

    found = examine(checks, at_once=2, total=0.4)

    released.set()
    assert time.monotonic() - began < 2
    assert [finding.level for _, finding in found] == [Level.FAIL] * 5
