"""pytest's side of the proofs: the fixture `proof`, and for the runner a file of what each case came to."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.proof import size

PROPERTY = "proof"


class Proof:
    """What a test knows of its size, and where it puts its figures."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def size(self, *, reduced: int, full: int) -> int:
        return size(reduced=reduced, full=full)

    def record(self, **figures: float | str) -> None:
        """Figures for docs/proof; of a test with parameters each case keeps its own."""
        self._properties.append((PROPERTY, figures))


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    return Proof(request.node.user_properties)


class Outcomes:
    """Collects `{node id: {"passed", "failed", "seconds", "figures"}}` and writes it when the session ends."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.cases: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        case = self.cases.setdefault(report.nodeid, {"passed": False, "failed": False, "seconds": 0.0, "figures": {}})
        case["seconds"] += report.duration
        case["failed"] |= report.failed
        if report.when == "call":
            case["passed"] = report.passed
            for name, value in report.user_properties:
                case["figures"] |= value if name == PROPERTY else {}

    def pytest_sessionfinish(self) -> None:
        self.file.write_text(json.dumps(self.cases))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with parameters only some cases may carry the id that is run."""
    if proof_id := os.environ.get("PROOF_ID"):
        others = [item for item in items if not any(proof_id in mark.args for mark in item.iter_markers("proof"))]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def pytest_configure(config: pytest.Config) -> None:
    if file := os.environ.get("PROOF_OUTCOMES"):
        config.pluginmanager.register(Outcomes(Path(file)))
