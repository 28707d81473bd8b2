"""Turns the windows of the bench of chats into its table, its goals and var/bench/chat.json."""

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.chat_windows import ALONE, ARRIVALS, PLATFORM, FirstWords, Idle
from bench.report import goals_text

__all__ = ["goals", "goals_text", "table", "table_text", "write"]

MOST_MEGABYTES: Final = 450.0
MOST_OF_PEER: Final = 1.1
STREAMS: Final = 1000

Windows = Mapping[tuple[str, str], Sequence[FirstWords]]
Table = dict[str, dict[str, dict[str, float]]]


def table(windows: Windows, idle: Mapping[str, Idle]) -> Table:
    """By contestant and window: medians over the rounds; `idle` as it was measured, once."""
    found: Table = {}
    for (window, name), rounds in windows.items():
        found.setdefault(name, {})[window] = {
            value: round(float(statistics.median(getattr(one, value) for one in rounds)), 2)
            for value in ("p50_ms", "p95_ms", "cpu_ms", "answers")
        }
    for name, streams in idle.items():
        found.setdefault(name, {})["idle"] = {value: round(given, 1) for value, given in streams.as_dict().items()}
    return found


def table_text(table: Table, *, per_second: float) -> str:
    row = "  {:<18}{:>10}{:>10}{:>16}"
    lines = []
    for window, title in ((ALONE, "one at a time"), (ARRIVALS, f"{per_second:g} new streams a second")):
        lines += [f"\nFirst words, {title}", row.format("", "+p50 ms", "+p95 ms", "core ms/answer")]
        for name, found in table.items():
            values = found[window]
            figures = (f"{values['p50_ms']:.1f}", f"{values['p95_ms']:.1f}", f"{values['cpu_ms']:.1f}")
            lines.append(row.format(name, *figures))
    row = "  {:<18}{:>8}{:>8}{:>11}{:>11}{:>8}{:>12}{:>13}"
    heads = ("streams", "MB", "MB before", "KB/stream", "errors", "heartbeats", "descriptors")
    lines += ["\nMostly idle streams", row.format("", *heads)]
    for name, found in table.items():
        idle = found["idle"]
        sizes = (
            *(f"{idle['streams']:.0f}", f"{idle['megabytes']:.0f}", f"{idle['megabytes_before']:.0f}"),
            *(f"{idle['kilobytes_each']:.0f}", f"{idle['errors']:.0f}", f"{idle['heartbeats']:.0f}"),
            f"{idle['descriptors']:.0f}",
        )
        lines.append(row.format(name, *sizes))
    return "\n".join(lines)


def goals(table: Table) -> list[dict[str, Any]]:
    ours = table[PLATFORM]
    (theirs,) = (found for name, found in table.items() if name != PLATFORM)
    found = [
        _goal(
            f"first words, {window}: {value[:3]} added, platform / peer",
            ours[window][value] / theirs[window][value],
            MOST_OF_PEER,
        )
        for window in (ALONE, ARRIVALS)
        for value in ("p50_ms", "p95_ms")
    ]
    idle = ours["idle"]
    if idle["streams"] >= STREAMS:
        found.append(
            _goal(f"{idle['streams']:,.0f} mostly idle streams: MB together", idle["megabytes"], MOST_MEGABYTES)
        )
    found.append(_goal("mostly idle streams: errors", idle["errors"], 0))
    found.append(_goal("mostly idle streams: without a heartbeat", idle["without_heartbeat"], 0))
    return found


def _goal(what: str, value: float, most: float) -> dict[str, Any]:
    return {"what": what, "value": round(value, 2), "goal": f"<= {most:g}", "reached": value <= most}


def write(
    file: Path,
    table: Table,
    goals: Sequence[Mapping[str, Any]],
    windows: Windows,
    *,
    machine: Mapping[str, object],
    own_ms: Sequence[float],
    minutes: float,
) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    raw = [
        {"window": window, "name": name, "rounds": [one.as_dict() for one in rounds]}
        for (window, name), rounds in windows.items()
    ]
    body = {
        "table": table,
        "goals": list(goals),
        "machine": machine,
        "upstream_first_words_ms": list(own_ms),
        "minutes": minutes,
        "raw": raw,
    }
    file.write_text(json.dumps(body, indent=1, default=str) + "\n")
