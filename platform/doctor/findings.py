"""What a check is and what it finds: one sentence, and the cure where something is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEADLINE: Final = 10.0


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`cure` is empty where all is well. Neither holds a key, nor a text that came from outside."""

    level: Level
    sentence: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`id` is stable, for machines; `run` may block up to `deadline` seconds and is then given up."""

    id: str
    title: str
    run: Callable[[], Finding]
    deadline: float = DEADLINE


def ok(sentence: str) -> Finding:
    return Finding(Level.OK, sentence)


def warn(sentence: str, cure: str) -> Finding:
    return Finding(Level.WARN, sentence, cure)


def fail(sentence: str, cure: str) -> Finding:
    return Finding(Level.FAIL, sentence, cure)


def worst(findings: list[Finding], *, otherwise: str) -> Finding:
    """All that is wrong in one finding, at the level of the worst; `otherwise` says that nothing is."""
    wrong = [each for each in findings if each.level is not Level.OK]
    if not wrong:
        return ok(otherwise)
    level = Level.FAIL if any(each.level is Level.FAIL for each in wrong) else Level.WARN
    cures = dict.fromkeys(each.cure for each in wrong)
    return Finding(level, " ".join(each.sentence for each in wrong), " ".join(cures))
