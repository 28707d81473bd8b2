"""`python -m bench.chat`: the chat server next to the packages' own example, on loopback; writes var/bench/chat.json.

Exit code 1, with a sentence, when a run is not valid: then its figures mean nothing. Goals that are missed are printed.
"""

import argparse
import gc
import importlib.util
import os
import resource
import ssl
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import chat_report
from bench.callers import Broken
from bench.certificates import make_certificates
from bench.chat_callers import Talk, hold
from bench.chat_site import Chatter, Visitors, open_chat_tenant, start_chat_peer, start_chat_platform
from bench.chat_upstream import FIRST_SECONDS
from bench.chat_windows import ALONE, ARRIVALS, FirstWords, Idle, measure_alone, measure_arrivals, measure_idle
from bench.contestants import ROOT, Place
from bench.machine import describe_machine
from bench.platform_site import fresh_database, open_site
from bench.processes import DidNotStart, Family, clean_environment
from bench.stand_in import StandIn
from bench.windows import Invalid

# Sockets of visitors, and in the contestants those of visitors and upstream.
DESCRIPTORS: Final = 20_000
# How much later than it should be the stand-in's first token may come.
LATE_MS: Final = 10.0


def main() -> int:
    asked = _arguments()
    began = time.monotonic()
    _raise_descriptors()
    gc.disable()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chatkit-bench-")))
            run = Run.begin(asked, folder, stack)
            run.measure()
    except (Invalid, Broken, DidNotStart) as problem:
        print(f"This run is not valid. {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 1
    table = chat_report.table(run.windows, run.idle)
    goals = chat_report.goals(table)
    print(chat_report.table_text(table, per_second=asked.per_second))
    print("\nGoals:\n" + chat_report.goals_text(goals))
    minutes = round((time.monotonic() - began) / 60, 1)
    machine = {**run.machine, "load_after": list(os.getloadavg())}
    chat_report.write(asked.output, table, goals, run.windows, machine=machine, own_ms=run.own_ms, minutes=minutes)
    print(f"\nValid. {minutes} minutes, load {os.getloadavg()[0]:.1f} at the end. Written to {asked.output}")
    return 0


@dataclass
class Run:
    asked: argparse.Namespace
    machine: dict[str, object]
    stand_in: StandIn
    authority: Path
    chatters: list[Chatter]
    visitors: Visitors
    site: Any
    windows: dict[tuple[str, str], list[FirstWords]] = field(default_factory=dict)
    idle: dict[str, Idle] = field(default_factory=dict)
    own_ms: list[float] = field(default_factory=list)

    @classmethod
    def begin(cls, asked: argparse.Namespace, folder: Path, stack: ExitStack) -> "Run":
        if importlib.util.find_spec("fastapi") is None:
            raise DidNotStart(
                "FastAPI is missing. `make bench-chat` brings it; by hand: pip install -r requirements/bench.txt."
            )
        certificates, environment = make_certificates(folder), clean_environment()
        machine = describe_machine()
        for key, value in machine.items():
            print(f"{key:<20} {value}")
        database_url = stack.enter_context(fresh_database())
        family = Family()
        stack.callback(family.stop)
        stand_in = StandIn(environment, certificates, folder, module="bench.chat_upstream")
        stack.callback(stand_in.close)
        place = Place(stand_in.url, certificates, environment, folder, node="")
        site = open_site(place, family, database_url)
        platform, visitors = start_chat_platform(site, place, open_chat_tenant(site))
        family.add(platform.running)
        peer = start_chat_peer(place)
        family.add(peer.running)
        for chatter in (platform, peer):
            chatter.running.wait_for_port(chatter.port, seconds=60)
        visitors.come(asked.streams)
        return cls(asked, machine, stand_in, certificates.authority, [platform, peer], visitors, site)

    def measure(self) -> None:
        self._first_answers()
        for number in range(self.asked.rounds):
            self._time_upstream()
            for chatter in self._in_turn(number):
                found = measure_alone(chatter, self.asked.alone, stand_in=self.stand_in, site=self.site)
                self._note(ALONE, chatter, found, number)
            for chatter in self._in_turn(number + 1):
                found = measure_arrivals(
                    chatter,
                    self.asked.per_second,
                    self.asked.seconds,
                    number=number,
                    stand_in=self.stand_in,
                    site=self.site,
                )
                self._note(ARRIVALS, chatter, found, number)
        # Tokens last ten minutes; those of the rounds are a few minutes old.
        self.visitors.come(self.asked.streams)
        self._say(f"{self.asked.streams} mostly idle streams of each")
        self.idle = measure_idle(
            self.chatters,
            self.asked.streams,
            per_second=self.asked.opened_per_second,
            stand_in=self.stand_in,
            site=self.site,
        )

    def _first_answers(self) -> None:
        """Both processes of both load what they load lazily; what somebody's first answer took is printed."""
        for chatter in self.chatters:
            talks = []
            for number in range(12):
                talk = Talk(chatter.port, chatter.ask(number, "hello"), due=time.monotonic())
                hold([talk])
                if talk.status != 200 or not talk.first_at or talk.has_failed:
                    raise Invalid(f"{chatter.name} does not answer: {talk.heard!r}\n{chatter.running.last_words()}")
                talks.append((talk.first_at - talk.asked_at - FIRST_SECONDS) * 1000)
            print(f"{chatter.name:<20} first answers after the start: +{talks[0]:.0f} ms, at most +{max(talks):.0f} ms")

    def _time_upstream(self) -> None:
        """The stand-in's own time, heard by a caller that does nothing else; less than LATE_MS off, or the run is invalid."""
        tls = ssl.create_default_context(cafile=self.authority)
        times = sorted(self.stand_in.first_words_ms(tls) for _ in range(10))
        own = statistics.median(times)
        if not 0 <= own - FIRST_SECONDS * 1000 <= LATE_MS:
            raise Invalid(f"The upstream's own first words took {own:.1f} ms instead of {FIRST_SECONDS * 1000:.0f}.")
        self.own_ms.append(round(own, 2))

    def _in_turn(self, number: int) -> list[Chatter]:
        return self.chatters[:: -1 if number % 2 else 1]

    def _note(self, window: str, chatter: Chatter, found: FirstWords, number: int) -> None:
        self.windows.setdefault((window, chatter.name), []).append(found)
        self._say(
            f"round {number + 1}  {window:<9} {chatter.name:<16} +p50 {found.p50_ms:6.1f}  +p95 {found.p95_ms:6.1f}  "
            f"{found.cpu_ms:5.1f} ms of a core for an answer"
        )

    def _say(self, line: str) -> None:
        print(line, flush=True)


def _raise_descriptors() -> None:
    """What we may open, our children may, too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.chat", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round and 150 streams: less than a minute")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--alone", type=int, help="messages of a round that are sent one at a time")
    parser.add_argument("--seconds", type=float, help="a round's time of arrivals")
    parser.add_argument("--per-second", type=float, default=25.0, help="new streams")
    parser.add_argument("--streams", type=int, help="that are open at once, mostly idle")
    parser.add_argument("--opened-per-second", type=float, default=40.0, help="new idle streams of each")
    parser.add_argument("--output", type=Path, default=ROOT / "var" / "bench" / "chat.json")
    asked = parser.parse_args()
    usual = {"rounds": 1, "alone": 10, "seconds": 3.0, "streams": 150} if asked.quick else {}
    for name, value in {"rounds": 3, "alone": 50, "seconds": 12.0, "streams": 1000, **usual}.items():
        if getattr(asked, name) is None:
            setattr(asked, name, value)
    return asked


if __name__ == "__main__":
    sys.exit(main())
