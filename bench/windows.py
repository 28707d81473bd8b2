"""One window: some visitors at one contestant for a few seconds, what it cost, and whether the counts agree."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from bench.callers import Audience
from bench.contestants import Contestant
from bench.platform_site import Site
from bench.stand_in import StandIn

# So many at once take longer to connect, and their contestant to open its connections.
CROWD: Final = 1_000
CROWD_WARM_UP: Final = 3.0


class Invalid(Exception):
    """A run that proves nothing; the text says why."""


@dataclass(frozen=True)
class Cell:
    """One row of the table: who, at which latency of the upstream in milliseconds, with how many visitors."""

    name: str
    upstream_ms: int
    visitors: int

    def __str__(self) -> str:
        return f"{self.name} at {self.upstream_ms} ms with {self.visitors} visitors"


@dataclass(frozen=True)
class Measured:
    """One window's values. `p50_ms`, `p99_ms`: what is added to the upstream's latency. `handshakes`: of the upstream's TLS."""

    rps_per_core: float
    rps: float
    p50_ms: float
    p99_ms: float
    memory_mb: float
    handshakes: int
    sessions: int
    cpu_seconds: float
    upstream_cpu_share: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass
class _Edges:
    cpu: float = 0.0
    upstream_cpu: float = 0.0
    handshakes: int = 0
    memory: float = 0.0


def measure(
    contestant: Contestant, cell: Cell, *, stand_in: StandIn, site: Site, seconds: float, warm_up: float
) -> Measured:
    """Raises Invalid where anybody was refused, or where calls, rows and charges are not the same number."""
    stand_in.set_latency(cell.upstream_ms)
    before, since = stand_in.counts(), datetime.now(UTC)
    writes_before, newcomers_before = site.limiter_writes(), site.newcomers
    start, end = _Edges(), _Edges()

    def note(edge: _Edges) -> None:
        edge.cpu = contestant.running.cpu_seconds()
        edge.upstream_cpu = stand_in.running.cpu_seconds()
        edge.handshakes = stand_in.counts().handshakes

    def finish() -> None:
        note(end)
        end.memory = contestant.running.megabytes()

    warm_up = max(warm_up, CROWD_WARM_UP) if cell.visitors >= CROWD else warm_up
    audience = Audience(contestant.callers(cell.visitors))
    heard = audience.listen(seconds=seconds, warm_up=warm_up, at_start=lambda: note(start), at_end=finish)
    if heard.refused:
        raise Invalid(f"{cell}: {dict(heard.refused)} answers other than 200 (0: none at all).")
    if not heard.latencies:
        raise Invalid(f"{cell}: nobody was answered within the window; take longer ones.")
    _agree(cell, heard.granted, calls=stand_in.counts().calls - before.calls)
    if cell.name == "platform":
        writes = site.limiter_writes() - writes_before
        charged = site.charged(heard.granted, site.newcomers - newcomers_before)
        _agree_on_platform(cell, heard.granted, rows=site.granted_rows(since), writes=writes, charged=charged)
    ordered = sorted(heard.latencies)
    cpu = end.cpu - start.cpu
    return Measured(
        rps_per_core=len(ordered) / max(cpu, 1e-9),
        rps=len(ordered) / heard.seconds,
        p50_ms=percentile(ordered, 0.5) * 1000 - cell.upstream_ms,
        p99_ms=percentile(ordered, 0.99) * 1000 - cell.upstream_ms,
        memory_mb=end.memory,
        handshakes=end.handshakes - start.handshakes,
        sessions=len(ordered),
        cpu_seconds=cpu,
        upstream_cpu_share=(end.upstream_cpu - start.upstream_cpu) / heard.seconds,
    )


def _agree(cell: Cell, granted: int, *, calls: int) -> None:
    expected = 0 if cell.name == "floor" else granted
    if calls != expected:
        raise Invalid(f"{cell}: {granted} sessions were granted, but the upstream counted {calls} calls.")


def _agree_on_platform(cell: Cell, granted: int, *, rows: int, writes: int, charged: int) -> None:
    if rows != granted:
        raise Invalid(f"{cell}: {granted} sessions were granted, but the ledger has {rows} rows.")
    if writes != charged:
        raise Invalid(
            f"{cell}: for {granted} sessions the limiter writes {charged} times, but it wrote {writes} times."
        )


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
