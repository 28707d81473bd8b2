"""House rules that a machine can watch."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRAWERS = {"utils", "helpers", "common", "services", "misc", "core"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_room_is_a_drawer() -> None:
    parts = {
        part for file in tracked("*.py", "*.ts", "*.tsx") for part in (*file.relative_to(ROOT).parent.parts, file.stem)
    }

    assert parts & DRAWERS == set()


def test_sources_stay_short_enough_to_read() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in tracked("*.py")
        if "migrations" not in file.parts and (lines := len(file.read_text().splitlines())) > 300
    }

    assert long == {}


def test_tasks_are_published_in_one_place_and_only_after_commit() -> None:
    """`sessions_api.hints` publishes, and whoever hints does so by `on_commit`: a message must not overtake its rows."""
    publishes = re.compile(r"(?<!super\(\))\.(delay|apply_async)\(")
    rooms = tracked("platform/*.py", "tenants/*.py", "sessions_api/*.py", "widget/*.py")

    publishers = {str(file.relative_to(ROOT)) for file in rooms if publishes.search(file.read_text())}
    callers = [line for file in rooms for line in file.read_text().splitlines() if re.search(r"send_hint(\(|,)", line)]

    assert publishers == {"sessions_api/hints.py"}
    assert [line for line in callers if "on_commit" not in line and "def send_hint" not in line] == []


def test_models_that_sessions_depend_on_raise_the_epoch() -> None:
    from tenants import models

    observed = (models.Tenant, models.ApiKey, models.Assistant, models.AssistantKey, models.AllowedDomain)
    for model in (*observed, models.IdentityKey):
        assert issubclass(model, models.ObservedModel)
        assert isinstance(model._default_manager.all(), models.ObservedQuerySet)


def test_no_code_goes_round_the_epoch() -> None:
    """Raw writes (`bulk_update`, `_raw_delete`, cursor) to observed tables would leave processes with a stale snapshot."""
    offenders = [
        str(file.relative_to(ROOT))
        for file in tracked("platform/*.py", "tenants/*.py", "sessions_api/*.py", "widget/*.py")
        if "migrations" not in file.parts
        and re.search(
            r"_raw_delete\(|_base_manager\.(update|filter)|(INSERT INTO|UPDATE|DELETE FROM) tenants_", file.read_text()
        )
    ]

    assert offenders == []


def test_no_module_prints_or_logs_a_revealed_secret() -> None:
    """`.reveal()` never stands inside a call of print, a logger or an f-string."""
    offenders = []
    for file in tracked("platform/*.py", "tenants/*.py", "sessions_api/*.py", "widget/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            inside_text = isinstance(node, ast.JoinedStr)
            inside_log = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}
            )
            if not (inside_text or inside_log):
                continue
            revealed = [
                call
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "reveal"
            ]
            if revealed and "chatkit_client" not in file.parts:
                offenders.append(f"{file.relative_to(ROOT)}:{node.lineno}")

    assert offenders == []


@pytest.mark.parametrize("name", ["urllib3"])
def test_no_dependency_overwrites_another(name: str) -> None:
    """`niquests` would replace urllib3 in site-packages without a word."""
    import importlib.metadata

    installed = {distribution.metadata["Name"].lower() for distribution in importlib.metadata.distributions()}

    assert name in installed
    assert installed & {"niquests", "urllib3-future"} == set()


def test_no_tracked_file_names_the_folder_of_this_checkout() -> None:
    """A path of one machine in a built file makes it differ on every other."""
    offenders = [
        str(file.relative_to(ROOT))
        for file in tracked()
        if f"{ROOT}/".encode() in file.read_bytes() and file.suffix != ".lock"
    ]

    assert offenders == []
