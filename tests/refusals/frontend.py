"""What the embed script makes of a code, read from its sources: the state it shows, the words, the line in the console."""

import re
from functools import cache
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).resolve().parents[2] / "frontend" / "embed" / "src"
CONSOLE_LINE: Final = "`[ChatKitPlatform] ${problem.code}: ${problem.message}`"


class SourceChanged(Exception):
    """The script's source has another form than is read here: adapt this module."""


@cache
def _source(name: str) -> str:
    return (SOURCES / name).read_text()


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """`const REFUSED = /^…$/;` and its like."""
    found = re.findall(r"^const ([A-Z_]+) =\s+/(\^.*\$)/;", _source("problem.ts"), flags=re.MULTILINE)
    return {name: re.compile(pattern) for name, pattern in found}


@cache
def _rules() -> tuple[list[tuple[str, str]], tuple[str, str, str]]:
    """The getter `state`: its guards in order, and what it returns in the end."""
    body = _source("problem.ts").partition("get state()")[2].partition("\n  }")[0]
    last = re.search(r"return ([A-Z_]+)\.test\(this\.code\) \? \"(\w+)\" : \"(\w+)\";", body)
    if last is None:
        raise SourceChanged("problem.ts: the getter `state` ends otherwise.")
    guards = re.findall(r"if \(([A-Z_]+)\.test\(this\.code\)\) return \"(\w+)\";", body)
    return guards, (last[1], last[2], last[3])


def state_of(code: str) -> str:
    """`refused`, `unavailable`, `signin`; `blocked` is no code of the platform's."""
    guards, (name, then, otherwise) = _rules()
    for guard, state in guards:
        if _patterns()[guard].search(code):
            return state
    return then if _patterns()[name].search(code) else otherwise


def is_tried_again(code: str) -> bool:
    return bool(_patterns()["TRANSIENT"].search(code))


@cache
def english() -> dict[str, str]:
    """The launcher's words and the panel's."""
    return {**_english("strings.ts"), **_english("panel-strings.ts")}


def _english(file: str) -> dict[str, str]:
    names = re.findall(r"^  readonly (\w+): string;", _source(file), flags=re.MULTILINE)
    row = re.search(r'^  en: "(.*)",$', _source(file), flags=re.MULTILINE)
    if row is None or len(row[1].split("|")) != len(names):
        raise SourceChanged(f"{file}: the English row or the interface has another form.")
    return dict(zip(names, row[1].split("|"), strict=True))


def title_of(code: str) -> str:
    """The headline of the panel."""
    state = state_of(code)
    word = {"signin": "signInAgain" if code == "identity_invalid" else "signIn"}.get(state, state)
    return english()[word]


def writes_the_line() -> bool:
    """Whether the script still writes the code and the platform's sentence in the one form."""
    return any(CONSOLE_LINE in file.read_text() for file in SOURCES.glob("*.ts"))
