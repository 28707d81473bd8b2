"""Runs the proofs at full size and keeps what they came to: `python -m tests.proof [ID …] [--list] [--again]`.

Each id is a pytest process of its own. What passed is written to docs/proof/<id>.json and not run again until a source changes;
what failed leaves no file. Tests that use the database run on SQLite and, where PostgreSQL and Redis answer, again on those.
"""

import argparse
import contextlib
import datetime
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.proof.machine import describe_machine, services

Facts = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / "docs" / "proof"
PROSE: Final = ("docs/", "README.md", "CHANGELOG.md")
SERVICES: Final = {
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/chatkit_proof"),
    "REDIS_URL": os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/11"),
    "CELERY_BROKER_URL": os.environ.get("TEST_BROKER_URL", "redis://127.0.0.1:6379/12"),
}


class Catalogue:
    """A pytest plugin that sorts the collected tests by their ids: `{id: {test: whether it uses the database}}`."""

    def __init__(self) -> None:
        self.ids: dict[str, dict[str, bool]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            fixtures = {"db", "transactional_db", "on_services"} & set(getattr(item, "fixturenames", ()))
            on_database = bool(fixtures) or item.get_closest_marker("django_db") is not None
            for proof_id in (name for mark in item.iter_markers("proof") for name in mark.args):
                self.ids.setdefault(proof_id, {})[test_of(item.nodeid)] = on_database


def collect() -> dict[str, dict[str, bool]]:
    catalogue, said = Catalogue(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-m", "proof", "-p", "no:cacheprovider"], plugins=[catalogue])
    if code != 0:
        sys.exit(f"{said.getvalue()}\nThe tests could not be collected; the reason stands above.")
    return dict(sorted(catalogue.ids.items(), key=lambda item: (item[0][0], int(item[0][1:]))))


def test_of(node_id: str) -> str:
    return node_id.partition("[")[0]


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def source() -> str:
    """One hash over every file of the tree but the prose, as it lies there: a proof counts for the source that it ran."""
    whole = hashlib.sha256()
    for name in sorted(set(git("ls-files", "--cached", "--others", "--exclude-standard").splitlines())):
        if not name.startswith(PROSE) and (ROOT / name).is_file():
            whole.update(name.encode() + b"\x00" + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return whole.hexdigest()[:16]


def run(proof_id: str, tests: list[str], environment: dict[str, str]) -> dict[str, Facts]:
    """The outcomes by node id (tests/proof/plugin.py); none of a process that broke down."""
    inherited = {name: value for name, value in os.environ.items() if name not in SERVICES}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.json"
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-o", "timeout=3600", *tests],
            cwd=ROOT,
            env={**inherited, **environment, "PROOF": "full", "PROOF_ID": proof_id, "PROOF_OUTCOMES": str(file)},
            check=False,
        )
        outcomes: dict[str, Facts] = json.loads(file.read_text()) if file.exists() else {}
        return outcomes


def prove(proof_id: str, tests: dict[str, bool], versions: dict[str, str]) -> Facts | None:
    """Runs one id; the content of its file, or None where a case failed or was skipped in every run."""
    began, source_before = time.monotonic(), source()
    runs = {"": run(proof_id, list(tests), {})}
    if versions and any(tests.values()):
        runs[" (PostgreSQL, Redis)"] = run(
            proof_id, [test for test, on_database in tests.items() if on_database], SERVICES
        )
    outcomes = [(case, outcome) for cases in runs.values() for case, outcome in cases.items()]
    passed = {case for case, outcome in outcomes if outcome["passed"]}
    if any(outcome["failed"] or case not in passed for case, outcome in outcomes):
        return None
    if {test_of(case) for case in passed} != set(tests):
        return None
    return {
        "id": proof_id,
        "figures": {test + on: part for on, cases in runs.items() for test, part in figures_of(cases).items()},
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", ".", *(f":!{name}" for name in PROSE))),
        "source": source_before,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": describe_machine() | (versions if len(runs) > 1 else {}),
        "seconds": round(time.monotonic() - began, 1),
    }


def figures_of(cases: dict[str, Facts]) -> dict[str, Facts]:
    """By test: how many cases passed, in what time, and what they recorded (by case where there are several)."""
    parts: dict[str, Facts] = {}
    for node_id, outcome in sorted(cases.items()):
        if not outcome["passed"]:
            continue
        part = parts.setdefault(test_of(node_id), {"cases": 0, "seconds": 0.0})
        part["cases"] += 1
        part["seconds"] = round(part["seconds"] + outcome["seconds"], 2)
        case = node_id.partition("[")[2].removesuffix("]")
        part |= {case: outcome["figures"]} if case and outcome["figures"] else outcome["figures"]
    return parts


def kept(proof_id: str) -> Facts | None:
    file = KEPT / f"{proof_id}.json"
    content: Facts | None = json.loads(file.read_text()) if file.exists() else None
    return content


def keep(proof_id: str, content: Facts | None) -> None:
    """A proof that failed leaves no file, not even that of an earlier source."""
    file = KEPT / f"{proof_id}.json"
    if content is None:
        file.unlink(missing_ok=True)
    else:
        KEPT.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def summary(content: Facts) -> str:
    parts = content["figures"].values()
    recorded = [f"{name} {value}" for part in parts for name, value in part.items() if name not in ("cases", "seconds")]
    return ", ".join([f"{content['seconds']} s", f"{sum(part['cases'] for part in parts)} cases", *recorded])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description="Runs the proofs at full size.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these (default: all)")
    parser.add_argument("--list", action="store_true", help="run nothing; name the ids and what is shown")
    parser.add_argument("--again", action="store_true", help="run also what was shown from this very source")
    wanted = parser.parse_args()
    catalogue = collect()
    if unknown := set(wanted.ids) - set(catalogue):
        parser.error(f"no test carries {', '.join(sorted(unknown))}; see --list")
    versions = services(SERVICES["DATABASE_URL"], SERVICES["REDIS_URL"])
    table, failed = [], False
    for proof_id in wanted.ids or catalogue:
        content = kept(proof_id)
        state = "not shown" if content is None else "shown" if content["source"] == source() else "source changed"
        if not wanted.list and (wanted.again or state != "shown"):
            print(f"== {proof_id}", flush=True)
            content = prove(proof_id, catalogue[proof_id], versions)
            keep(proof_id, content)
            state = "passed" if content else "FAILED"
            failed |= content is None
        said = summary(content) if content else f"{len(catalogue[proof_id])} tests"
        table.append(f"{proof_id:5}{state:16}{said}"[:200])
    print("\n".join(table))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
