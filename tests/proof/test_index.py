"""docs/proof/README.md tells the truth about which ids are shown."""

import json
import re
from pathlib import Path

import pytest

from tests.proof.__main__ import KEPT, ROOT

# | [E2](E2.json) | what was shown … |
ROW = re.compile(r"^\| \[([A-Z]\d+)\]\(\1\.json\) \|", flags=re.MULTILINE)


def marked_ids() -> set[str]:
    marks = [
        mark
        for file in (ROOT / "tests").rglob("test_*.py")
        for mark in re.findall(r"mark\.proof\((.*?)\)", file.read_text())
    ]
    return {name for mark in marks for name in re.findall(r'"([A-Z]\d+)"', mark)}


def test_the_table_has_a_row_for_each_kept_proof_and_no_other() -> None:
    assert set(ROW.findall((KEPT / "README.md").read_text())) == {file.stem for file in KEPT.glob("*.json")}


def test_each_kept_proof_belongs_to_a_marked_test() -> None:
    assert {file.stem for file in KEPT.glob("*.json")} <= marked_ids()


@pytest.mark.parametrize("file", sorted(KEPT.glob("*.json")), ids=lambda file: file.stem)
def test_a_kept_proof_says_what_when_where_and_of_which_source(file: Path) -> None:
    content = json.loads(file.read_text())

    assert content["id"] == file.stem
    assert all(part["cases"] > 0 for part in content["figures"].values())
    assert {"commit", "dirty", "source", "date", "machine", "seconds"} <= set(content)
