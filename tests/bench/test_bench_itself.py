"""The bench works: a short run is valid, writes its rows, and stops with a sentence where a run proves nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench.__main__ import NAMES, VISITORS, _cells, _in_turns
from bench.contestants import production_flags
from bench.platform_site import Site
from bench.report import Row, goals
from bench.windows import Cell, Invalid, Measured, _agree, _agree_on_platform
from tests.conftest import missing

ROOT = Path(__file__).resolve().parents[2]
ROW_FIELDS = {"name", "upstream_ms", "visitors", "rps_per_core", "p50_ms", "p99_ms", "memory_mb", "handshakes"}


def bench(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def measured(**values: float) -> Measured:
    given = {"rps_per_core": 100.0, "rps": 100.0, "p50_ms": 1.0, "p99_ms": 2.0, "memory_mb": 50.0, **values}
    return Measured(handshakes=0, sessions=10, cpu_seconds=1.0, upstream_cpu_share=0.1, **given)


@pytest.fixture
def parts(on_services: None) -> None:
    for program, package in (("redis-server", "redis-server"), ("node", "nodejs")):
        if shutil.which(program) is None:
            missing(program, f"Install Debian's package `{package}`.")


@pytest.mark.services
def test_a_short_run_is_valid_and_writes_its_rows(parts: None, tmp_path: Path) -> None:
    file = tmp_path / "session.json"

    run = bench(
        *("--seconds", "0.5", "--rounds", "1", "--only", "platform,floor", "--visitors", "1", "--upstream", "0"),
        *("--no-isolation", "--output", str(file)),
    )

    assert run.returncode == 0, run.stderr
    written = json.loads(file.read_text())
    assert [row["name"] for row in written["rows"]] == ["platform", "floor"]
    assert all(row.keys() >= ROW_FIELDS for row in written["rows"])
    assert written["rows"][0]["handshakes"] == 0
    assert written["machine"]["python_build_flags"] is not None


def test_a_database_elsewhere_is_refused_with_a_sentence(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        missing("node", "Install Debian's package `nodejs`.")

    run = bench("--output", str(tmp_path / "session.json"), DATABASE_URL="postgres://app@database.example/app")

    assert run.returncode == 1
    assert run.stderr.startswith("This run is not valid. DATABASE_URL must name a PostgreSQL server on loopback")
    assert not list(tmp_path.iterdir())


def test_every_contestant_is_measured_wherever_it_is_compared() -> None:
    cells = _cells(NAMES, (0, 20, 300), VISITORS)

    by_name = Counter(cell.name for cell in cells)
    assert by_name["platform"] == by_name["drf_gthread"] == by_name["node_route"] == 3 * 3 + 2
    assert by_name["guide"] == by_name["fastapi_starter"] == 3 * 3
    # It has no upstream whose latency could differ.
    assert by_name["floor"] == 3
    assert Cell("platform", 300, 2000) in cells


def test_contestants_take_turns_and_no_round_has_the_order_of_another() -> None:
    cells = _cells(NAMES, (0,), (32,))

    orders = [tuple(cell.name for cell in _in_turns(cells, number)) for number in range(3)]

    assert len(set(orders)) == 3
    assert all(sorted(order) == sorted(NAMES) for order in orders)


def test_a_row_is_the_median_of_its_rounds() -> None:
    windows = [measured(rps_per_core=figure) for figure in (90.0, 400.0, 100.0)]

    assert Row.of(Cell("platform", 0, 32), 1, windows).rps_per_core == 100.0


def test_a_goal_that_is_missed_is_said() -> None:
    cells = {Cell("platform", 0, 32): 100.0, Cell("node_route", 0, 32): 200.0, Cell("guide", 0, 32): 2.0}
    table = {cell: Row.of(cell, 1, [measured(rps_per_core=figure)]) for cell, figure in cells.items()}

    found = {goal["what"]: goal["reached"] for goal in goals(table, None)}

    assert found["per core at 0 ms, 32 visitors: platform / guide"] is True
    assert found["per core at 0 ms, 32 visitors: platform / node_route"] is False


@pytest.mark.parametrize(
    ("rows", "writes", "says"),
    [(9, 31, "the ledger has 9 rows"), (11, 31, "11 rows"), (10, 30, "writes 31 times, but it wrote 30 times")],
)
def test_counts_that_disagree_make_a_run_invalid(rows: int, writes: int, says: str) -> None:
    site = Site({}, "", "", {}, sets_per_session=3, sets_per_newcomer=1)

    with pytest.raises(Invalid, match=says):
        _agree_on_platform(Cell("platform", 0, 1), 10, rows=rows, writes=writes, charged=site.charged(10, 1))


def test_calls_that_the_upstream_did_not_see_make_a_run_invalid() -> None:
    with pytest.raises(Invalid, match="the upstream counted 9 calls"):
        _agree(Cell("guide", 0, 1), 10, calls=9)


def test_the_platform_is_started_as_in_the_image_but_for_its_place_and_number() -> None:
    command = re.search(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert command is not None

    left = [word for word in json.loads(command[1]) if word not in production_flags()]

    assert left == [
        *("uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"),
        "--no-access-log",
    ]
