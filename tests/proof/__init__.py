"""Proofs: tests that carry an id of the catalogue, small in `make test` and at full size in `make proof`.

`@pytest.mark.proof("E2")` names the ids. A test takes its size from the `proof` fixture, or from `size` where it is needed before
the test runs (Hypothesis), and tells its figures by `proof.record(...)`. `python -m tests.proof` runs them and keeps the figures.
"""

import os
from typing import Final

FULL: Final = os.environ.get("PROOF") == "full"


def size(*, reduced: int, full: int) -> int:
    """How much a test does: `reduced` in `make test`, `full` in `make proof`."""
    return full if FULL else reduced
