"""One tenant's upstream hangs, at the same host and in the same process: what do the other tenant's visitors notice?"""

import statistics
from dataclasses import asdict, dataclass
from typing import Final

from bench.callers import Audience
from bench.contestants import Contestant
from bench.platform_site import Site
from bench.stand_in import StandIn

VISITORS: Final = 32
# More than the bulkhead has places, so that some wait for OpenAI and others are refused.
HANGING_VISITORS: Final = 100
UPSTREAM_MS: Final = 20
GOAL: Final = 1.5


@dataclass(frozen=True)
class Isolation:
    """p99 in milliseconds, whole answers: alone, and while the other tenant hangs; every round's values."""

    alone_ms: list[float]
    beside_ms: list[float]
    failed: int
    hanging_calls: int

    @property
    def ratio(self) -> float:
        return statistics.median(self.beside_ms) / statistics.median(self.alone_ms)

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio, "goal": GOAL, "upstream_ms": UPSTREAM_MS, "visitors": VISITORS}


def measure_isolation(platform: Contestant, site: Site, stand_in: StandIn, *, seconds: float, rounds: int) -> Isolation:
    """`platform` is one process with the default bulkhead; both kinds of windows take turns."""
    stand_in.set_latency(UPSTREAM_MS)
    make_hanging = site.visitors["hanging"]
    alone: list[float] = []
    beside: list[float] = []
    failed = 0
    before = stand_in.counts().hanging
    for _ in range(rounds):
        for values, hanging in ((alone, 0), (beside, HANGING_VISITORS)):
            others = [make_hanging(platform.port, number) for number in range(hanging)]
            for caller in others:
                caller.is_counted = False
            heard = Audience([*platform.callers(VISITORS), *others]).listen(seconds=seconds, warm_up=1.0)
            ordered = sorted(heard.latencies)
            values.append(ordered[int(0.99 * len(ordered))] * 1000)
            failed += sum(heard.refused.values())
    return Isolation(alone, beside, failed, stand_in.counts().hanging - before)
