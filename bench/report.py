"""Turns measured windows into the table, the goals and `var/bench/session.json`."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.isolation import Isolation
from bench.windows import Cell, Measured

PLATFORM: Final = "platform"
_COLUMNS: Final = "  {:<16}{:>10}{:>9}{:>11}{:>10}{:>10}{:>8}{:>13}"


@dataclass(frozen=True)
class Row:
    """One cell's medians over all rounds; `handshakes` is for 1,000 sessions, once warm."""

    name: str
    upstream_ms: int
    visitors: int
    processes: int
    rps_per_core: float
    rps: float
    p50_ms: float
    p99_ms: float
    memory_mb: float
    handshakes: float

    @classmethod
    def of(cls, cell: Cell, processes: int, windows: Sequence[Measured]) -> "Row":
        def median(name: str) -> float:
            return round(float(statistics.median(getattr(window, name) for window in windows)), 3)

        sessions = sum(window.sessions for window in windows)
        return cls(
            name=cell.name,
            upstream_ms=cell.upstream_ms,
            visitors=cell.visitors,
            processes=processes,
            rps_per_core=median("rps_per_core"),
            rps=median("rps"),
            p50_ms=median("p50_ms"),
            p99_ms=median("p99_ms"),
            memory_mb=median("memory_mb"),
            handshakes=round(1000 * sum(window.handshakes for window in windows) / sessions, 3),
        )


Table = Mapping[Cell, Row]


def table_text(table: Table) -> str:
    lines: list[str] = []
    for place in dict.fromkeys((cell.upstream_ms, cell.visitors) for cell in table):
        upstream_ms, visitors = place
        rows = [row for cell, row in table.items() if (cell.upstream_ms, cell.visitors) == place]
        ours = next((row for row in rows if row.name == PLATFORM), None)
        lines.append(
            f"\n{visitors} visitor{'s' * (visitors > 1)}, upstream {upstream_ms} ms, {rows[0].processes} process(es)"
        )
        lines.append(_COLUMNS.format("", "/s per core", "ours is", "/s", "+p50 ms", "+p99 ms", "MB", "TLS per 1000"))
        for row in rows:
            ratio = f"{ours.rps_per_core / row.rps_per_core:.2f} x" if ours and row is not ours else ""
            lines.append(
                _COLUMNS.format(
                    row.name,
                    f"{row.rps_per_core:.0f}",
                    ratio,
                    f"{row.rps:.0f}",
                    f"{row.p50_ms:.1f}",
                    f"{row.p99_ms:.1f}",
                    f"{row.memory_mb:.0f}",
                    f"{row.handshakes:.1f}",
                )
            )
    return "\n".join(lines)


def goals(table: Table, isolation: Isolation | None) -> list[dict[str, Any]]:
    """Each goal that this run has the rows for: what was asked, what came, and whether that is enough."""
    found: list[dict[str, Any]] = []

    def add(what: str, value: float, goal: float, *, at_most: bool) -> None:
        reached = value <= goal if at_most else value >= goal
        found.append(
            {
                "what": what,
                "value": round(value, 2),
                "goal": f"{'<=' if at_most else '>='} {goal:g}",
                "reached": reached,
            }
        )

    for visitors in dict.fromkeys(cell.visitors for cell in table if cell.upstream_ms == 0):
        ours = table.get(Cell(PLATFORM, 0, visitors))
        for peer, least in (("guide", 40), ("drf_gthread", 4), ("fastapi_starter", 40), ("node_route", 1)):
            theirs = table.get(Cell(peer, 0, visitors))
            if ours and theirs:
                ratio = ours.rps_per_core / theirs.rps_per_core
                add(f"per core at 0 ms, {visitors} visitors: platform / {peer}", ratio, least, at_most=False)
    for visitors in dict.fromkeys(cell.visitors for cell in table if cell.upstream_ms == 20):
        ours, node = table.get(Cell(PLATFORM, 20, visitors)), table.get(Cell("node_route", 20, visitors))
        if ours and node:
            what = f"p50 added at 20 ms, {visitors} visitors: platform less node_route, ms"
            add(what, ours.p50_ms - node.p50_ms, 2, at_most=True)
    for visitors, megabytes in ((1000, 300), (2000, 400)):
        ours, node = table.get(Cell(PLATFORM, 300, visitors)), table.get(Cell("node_route", 300, visitors))
        if ours and node and visitors == 1000:
            add(
                "1,000 visitors at 300 ms, 2 processes: platform / node_route, sessions/s",
                ours.rps / node.rps,
                0.9,
                at_most=False,
            )
        if ours:
            add(f"{visitors:,} visitors at 300 ms, 2 processes: MB together", ours.memory_mb, megabytes, at_most=True)
    ours_rows = [row for row in table.values() if row.name == PLATFORM]
    if ours_rows:
        add(
            "TLS handshakes per 1,000 sessions once warm, worst row",
            max(row.handshakes for row in ours_rows),
            20,
            at_most=True,
        )
    if isolation:
        add("one tenant hangs: the others' p99 / alone", isolation.ratio, 1.5, at_most=True)
        add("one tenant hangs: the others' failed calls", isolation.failed, 0, at_most=True)
    return found


def goals_text(found: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"  {'reached' if goal['reached'] else 'SHORT  '}  {goal['what']}: {goal['value']:g} ({goal['goal']})"
        for goal in found
    )


def write(file: Path, table: Table, extra: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [vars(row) for row in table.values()]
    file.write_text(json.dumps({"rows": rows, **extra}, indent=1, default=str) + "\n")
