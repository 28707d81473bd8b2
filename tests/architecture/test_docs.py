"""The documents name what there is: every code, variable, check and state is explained, and nothing in them leads nowhere."""

import json
import os
import re
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.core.management import get_commands

from chatkit_client.errors import Reason
from gateway.errors import Code
from gateway.models import OpsScope
from tenants.models import Verdict
from tenants.verdict_words import words_for

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCES = [ROOT / room for room in ("platform", "tenants", "sessions_api", "chat_server", "widget")]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "frontend" / "README.md", *DOCS.rglob("*.md")])
OPERATING = (DOCS / "operating.md").read_text()
TROUBLESHOOTING = (DOCS / "troubleshooting.md").read_text()

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code_in(page: Path) -> list[str]:
    """What stands in backticks and in fences."""
    text = page.read_text()
    fences = re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*fences, *re.findall(r"`([^`\n]+)`", rest)]


def unexplained(names: set[str], text: str) -> set[str]:
    return {name for name in names if f"`{name}`" not in text}


def anchors_of(page: Path) -> set[str]:
    """The fragments of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def python_text() -> str:
    return "\n".join(file.read_text() for room in SOURCES for file in room.rglob("*.py"))


def test_every_public_code_has_its_row_in_troubleshooting() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", TROUBLESHOOTING, flags=re.MULTILINE))

    assert {code.value for code in Code} - rows == set()


def test_every_reason_is_explained() -> None:
    """Those of the OpenAI edge, and those that the door writes into the ledger."""
    written = set(re.findall(r"PublicError\([^()]*reason=\"([a-z_]+)\"", python_text()))
    never_in_the_ledger = {"no_such_tenant", "no_such_release"}

    reasons = {reason.value for reason in Reason} | written - never_in_the_ledger

    assert written
    assert unexplained(reasons, TROUBLESHOOTING) == set()


@pytest.mark.parametrize("verdict", Verdict.values)
def test_every_state_of_a_key_is_explained_by_its_title(verdict: str) -> None:
    titles = {words_for(verdict, today=day).title for day in (date(2026, 1, 1), date(2027, 1, 1))}

    for title in titles:
        assert f"| {title} |" in OPERATING
        assert f"| {title} |" in TROUBLESHOOTING


def test_the_table_of_environment_variables_is_that_of_the_example() -> None:
    named = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))
    section = OPERATING.partition("## Environment variables")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([A-Z_]+)` \|", section, flags=re.MULTILINE)) == named


def test_every_system_check_is_explained() -> None:
    checks = set(re.findall(r"\"([a-z_]+\.[EW]\d{3})\"", python_text()))

    assert "encryption.E001" in checks
    assert unexplained(checks, OPERATING) == set()


def test_every_metric_and_scope_is_explained() -> None:
    metrics = set(re.findall(r"\"(chatkit_[a-z_]+)\"", (ROOT / "platform/dashboards/probes.py").read_text()))

    assert metrics
    assert {name for name in metrics if name not in OPERATING} == set()
    assert unexplained(set(OpsScope.values), OPERATING) == set()


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if urlsplit(target).scheme:
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (fragment and fragment not in anchors_of(file)):
            broken.append(target)

    assert broken == []


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    """Names with a folder; those of rooms in `platform/` may leave that out, as imports do."""
    rooms = {path.name for path in [*ROOT.iterdir(), *(ROOT / "platform").iterdir()] if path.is_dir()} - {"var"}
    missing = []
    for code in code_in(page):
        # A name stands alone in its backticks; with a star or an angle bracket it is a pattern.
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", code) or code.split("/")[0] not in rooms:
            continue
        beside = [ROOT / code, ROOT / "platform" / code, page.parent / code]
        if not any(path.exists() for path in beside) and "dist" not in code:
            missing.append(code)

    assert missing == []


@every_page
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {name for code in code_in(page) for name in re.findall(r"(?:^|\n|[A-Z_]+=\S+ )make ([a-z-]+)", code)}

    assert named - targets == set()


@every_page
def test_every_command_of_manage_py_that_is_named_exists(page: Path) -> None:
    named = {name for code in code_in(page) for name in re.findall(r"manage\.py ([a-z_]+)", code)}

    assert named - set(get_commands()) == set()


@every_page
def test_no_page_names_the_place_where_it_was_written(page: Path) -> None:
    """Neither this checkout and its owner's home, nor the hosts that packages came from."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())
    sources = [entry.get("resolved", "") for entry in lock["packages"].values()]
    sources += [os.environ.get(name, "") for name in ("PIP_INDEX_URL", "npm_config_registry")]
    hosts = {urlsplit(source).hostname for source in sources} - {None}
    places = {str(place) for place in (ROOT, Path.home()) if len(str(place)) > 1}

    assert [word for word in (*hosts, *places) if word and word in page.read_text()] == []
