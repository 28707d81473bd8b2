"""What the operations page, the metrics and the checks say of a spool that is not empty."""

from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.test import Client

from dashboards.probes import exposition
from sessions_api.checks import check_spool_directory
from sessions_api.spool import Spool


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


@pytest.mark.django_db
def test_the_operations_page_has_its_figures_only_while_there_are_any(admin_client: Client, folder: Path) -> None:
    def page() -> str:
        return admin_client.get("/admin/operations/").content.decode()

    assert "spool" not in page()
    spool = Spool(folder, max_bytes=10_000)
    spool.append([b"x\n"] * 3)
    (folder / "1.bad").write_bytes(b"a\nb\n")

    shown = page()

    assert '<span class="stat-label">Waiting in the spool</span> <strong class="stat-value">3</strong>' in shown
    assert '<span class="stat-label">Set aside from the spool</span> <strong class="stat-value">2</strong>' in shown
    spool.close()


@pytest.mark.django_db
def test_metrics_count_what_waits_and_what_was_set_aside(folder: Path) -> None:
    spool = Spool(folder, max_bytes=10_000)
    spool.append([b"xx\n"] * 4)
    (folder / "1.bad").write_bytes(b"a\n")

    text = exposition().decode()

    assert "chatkit_spool_requests 4.0" in text
    assert "chatkit_spool_bytes 14.0" in text
    assert "chatkit_spool_set_aside 1.0" in text
    spool.close()


def test_what_readiness_says_of_it(folder: Path) -> None:
    spool = Spool(folder, max_bytes=1_000)
    assert spool.state(is_used=False) == "empty"

    spool.append([b"x" * 99 + b"\n"])
    (folder / "1.bad").write_bytes(b"a\n")

    assert spool.state(is_used=True) == "in use, 100 bytes waiting, 1 files set aside"
    spool.append([b"x" * 799 + b"\n"])
    assert spool.state(is_used=True) == "full"
    spool.close()


def test_a_directory_that_others_can_open_is_a_system_check(folder: Path) -> None:
    assert check_spool_directory(None) == []
    folder.mkdir(mode=0o750)

    found = [message for message in checks.run_checks() if message.id == "sessions_api.E001"]

    assert [message.is_serious() for message in found] == [True]
    assert str(folder) in str(found[0].hint)
