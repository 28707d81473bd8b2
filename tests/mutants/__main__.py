"""Mutation testing: changes the modules that decide, one small thing at a time, and says which change no test notices.

    .venv/bin/python -m tests.mutants [MODULE …]     one of MODULES; default: all that there are

mutmut works on a copy of the tree in which the rooms of `platform/` lie at the root: it takes a module's name from its path. Each
module has its own quick tests, without a database. A survivor has to be explained in docs/proof/mutants.md; the run fails for one
that is not, and below 90 % killed. mutmut leaves alone what is decorated, module constants and class attributes.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proof.__main__ import SERVICES

ROOT: Final = Path(__file__).resolve().parents[2]
EXPLAINED: Final = ROOT / "docs" / "proof" / "mutants.md"
LEAST_KILLED: Final = 0.9
# What mutmut notes of a mutant: its process ended well, or no test ran through it.
SURVIVED, NOT_TESTED = 0, 33
_LIMITS: Final = [f"tests/gateway/test_{name}.py" for name in ("gcra", "limits", "limits_and_quotas", "rate_headers")]
# Each file, and the tests that are to notice.
MODULES: Final = {
    "origins": (
        "tenants/origins.py",
        [
            f"tests/tenants/test_{name}.py"
            for name in ("origins", "origins_entries", "preview_patterns", "origin_words")
        ],
    ),
    "gcra": ("gateway/gcra.py", ["tests/gateway/test_gcra.py", "tests/gateway/test_limiter_model.py"]),
    "limit_twin": ("gateway/limit_twin.py", ["tests/gateway/test_limit_twin.py", *_LIMITS]),
    "quotas": ("gateway/quotas.py", ["tests/gateway/test_quotas.py", *_LIMITS]),
    "limits": (
        "gateway/limits.py",
        ["tests/gateway/test_limiter_in_silence.py", "tests/gateway/test_quota_counters.py", *_LIMITS],
    ),
    "breaker": ("gateway/breaker.py", ["tests/gateway/test_breaker.py", "tests/gateway/test_shared_breakers.py"]),
    "visitor_tokens": ("gateway/visitor_tokens.py", ["tests/gateway/test_visitor_tokens.py"]),
    "identity_tokens": ("gateway/identity_tokens.py", ["tests/gateway/test_identity_tokens.py"]),
}
# Some of their tests hold the twin against Redis.
ON_SERVICES: Final = {"limit_twin", "quotas", "limits"}


@dataclass(frozen=True)
class Mutant:
    """One change that nobody noticed: the function, and the line before and after."""

    where: str
    before: str
    after: str

    @property
    def row(self) -> str:
        """As docs/proof/mutants.md has it, up to the reason."""
        return f"| `{self.where}` | {_code(self.before)} | {_code(self.after)} |"


@dataclass(frozen=True)
class Result:
    module: str
    mutants: int
    killed: int
    survivors: list[Mutant]
    seconds: float

    @property
    def rate(self) -> float:
        return self.killed / self.mutants if self.mutants else 0.0


def _code(line: str) -> str:
    return f"`{line.strip().replace('|', chr(92) + '|')}`"


def run(module: str) -> Result:
    file, tests = MODULES[module]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        lay_out(tree, file, [test for test in tests if (ROOT / test).exists()])
        services = SERVICES if module in ON_SERVICES else {}
        done = mutmut(tree, "run", "--max-children", str(os.cpu_count() or 1), **services)
        meta = tree / "mutants" / f"{file}.meta"
        codes: dict[str, int | None] = json.loads(meta.read_text())["exit_code_by_key"] if meta.exists() else {}
        if not codes or None in codes.values():
            sys.exit(f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\nmutmut did not get through {module}.")
        alive = [name for name, code in codes.items() if code in (SURVIVED, NOT_TESTED)]
        survivors = [survivor(tree, name) for name in alive]
    return Result(module, len(codes), len(codes) - len(alive), survivors, time.monotonic() - began)


def lay_out(tree: Path, file: str, tests: list[str]) -> None:
    """The rooms side by side, and what mutmut has to know."""
    rooms = [room for room in (ROOT / "platform").iterdir() if room.is_dir() and room.name != "__pycache__"]
    rooms += [ROOT / name for name in ("tenants", "sessions_api", "widget", "sandbox")]
    for room in (*rooms, ROOT / "tests"):
        shutil.copytree(room, tree / room.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("docs", "frontend/embed/src"):
        shutil.copytree(ROOT / name, tree / name)
    (tree / "var").mkdir()
    mutated = file.partition("/")[0]
    settings = {
        "source_paths": [mutated],
        "only_mutate": [file],
        "also_copy": [*(room.name for room in rooms if room.name != mutated), "docs", "frontend"],
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": ["-p", "no:randomly", "-x"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (tree / "pyproject.toml").write_text(
        "\n".join([(ROOT / "pyproject.toml").read_text(), "[tool.mutmut]", *lines, ""])
    )


def mutmut(tree: Path, *words: str, **services: str) -> subprocess.CompletedProcess[str]:
    """On the embedded default but for `services`, and with no path to the tree that is not changed."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", *SERVICES}}
    environment = {**inherited, **services, "DJANGO_SETTINGS_MODULE": "config.settings.test"}
    command = [str(Path(sys.executable).with_name("mutmut")), *words]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def survivor(tree: Path, name: str) -> Mutant:
    """`gateway.breaker.xǁBreakerǁenter__mutmut_4` is a mutant of Breaker.enter."""
    shown = mutmut(tree, "show", name).stdout.splitlines()
    before = [line[1:] for line in shown if re.match(r"-(?!-)", line)]
    after = [line[1:] for line in shown if re.match(r"\+(?!\+)", line)]
    where = name.partition("__mutmut_")[0].rpartition(".")[2].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Mutant(where, " ".join(map(str.strip, before)), " ".join(map(str.strip, after)))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(MODULES))
    wanted = parser.parse_args().modules or [
        name for name, (file, _) in MODULES.items() if any((ROOT / part / file).exists() for part in ("", "platform"))
    ]
    if unknown := set(wanted) - set(MODULES):
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    explained = EXPLAINED.read_text() if EXPLAINED.exists() else ""
    failed = False
    for module in wanted:
        result = run(module)
        print(
            f"| `{module}` | {result.mutants} | {result.killed} | {result.rate:.1%} | {len(result.survivors)} |"
            f"  ({result.seconds:.0f} s)",
            flush=True,
        )
        new = [mutant for mutant in result.survivors if mutant.row not in explained]
        print("\n".join(f"  not explained: {mutant.row}" for mutant in new))
        failed |= bool(new) or result.rate < LEAST_KILLED
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
