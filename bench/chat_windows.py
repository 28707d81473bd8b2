"""The windows of the bench of chats: first words alone and under arrivals, and many streams on which little comes."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.chat_callers import Talk, hold
from bench.chat_site import Chatter, kept_since
from bench.chat_upstream import FIRST_SECONDS, IDLE, IDLE_SECONDS
from bench.platform_site import Site
from bench.stand_in import StandIn
from bench.windows import Invalid, percentile

PLATFORM: Final = "platform"
ALONE, ARRIVALS, IDLE_STREAMS = "alone", "arrivals", "idle"
# An account is settled after its answer's last event.
SETTLE_SECONDS: Final = 1.0
# The n-th round has the same arrivals for both.
SEED: Final = 20261130
# Connections that are kept for the next run.
SPARE: Final = 60


@dataclass(frozen=True)
class FirstWords:
    """Milliseconds from the message to the first words, less the upstream's own; processor time in ms for an answer."""

    p50_ms: float
    p95_ms: float
    answers: int
    cpu_ms: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Idle:
    """Megabytes of all processes before and while the streams are open; kilobytes for each stream."""

    streams: int
    errors: int
    without_heartbeat: int
    heartbeats: int
    megabytes_before: float
    megabytes: float
    kilobytes_each: float
    descriptors_before: int
    descriptors: int
    opening_p95_ms: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def measure_alone(chatter: Chatter, count: int, *, stand_in: StandIn, site: Site) -> FirstWords:
    """One message at a time: the next is sent when the answer is over."""
    cpu, since, calls = chatter.running.cpu_seconds(), datetime.now(UTC), stand_in.counts().calls
    talks: list[Talk] = []
    for number in range(count):
        talk = Talk(chatter.port, chatter.ask(number, "Do you mend flat tyres?"), due=time.monotonic())
        hold([talk])
        talks.append(talk)
    return _first_words(chatter, talks, cpu=cpu, since=since, calls=calls, stand_in=stand_in, site=site)


def measure_arrivals(
    chatter: Chatter, per_second: float, seconds: float, *, number: int, stand_in: StandIn, site: Site
) -> FirstWords:
    """New streams at random moments, so many a second on average, whatever became of those before."""
    cpu, since, calls = chatter.running.cpu_seconds(), datetime.now(UTC), stand_in.counts().calls
    draw = random.Random(SEED + number)  # noqa: S311 arrivals, no secrets
    moment = begin = time.monotonic() + 0.1
    talks: list[Talk] = []
    while (moment := moment + draw.expovariate(per_second)) < begin + seconds:
        talks.append(Talk(chatter.port, chatter.ask(len(talks), "Do you mend flat tyres?"), due=moment))
    hold(talks)
    return _first_words(chatter, talks, cpu=cpu, since=since, calls=calls, stand_in=stand_in, site=site)


def measure_idle(
    chatters: Sequence[Chatter], count: int, *, per_second: float, stand_in: StandIn, site: Site
) -> dict[str, Idle]:
    """By name. All hold theirs at the same time, until each stream was silent for a heartbeat and has spoken once more."""
    since = datetime.now(UTC)
    before = {chatter.name: _size(chatter) for chatter in chatters}
    calls = stand_in.counts().calls
    begin = time.monotonic() + 0.1
    talks = {
        chatter.name: [
            Talk(chatter.port, chatter.ask(number, f"{IDLE} Tell me more"), due=begin + number / per_second)
            for number in range(count)
        ]
        for chatter in chatters
    }
    full: dict[str, tuple[float, int]] = {}
    until = begin + count / per_second + IDLE_SECONDS + 3
    all_talks = [talk for of_one in talks.values() for talk in of_one]

    def look() -> None:
        full.update({one.name: _size(one) for one in chatters})
        # Ours leave first, so that it shows whether their runs end; the peer's go on when its readers have left.
        for talk in talks[PLATFORM]:
            talk.leave()
        _wait_until_left(stand_in, others=len(all_talks) - count)

    hold(all_talks, until=until, at_end=look)
    made = stand_in.counts().calls - calls
    if made != len(all_talks):
        told = {name: dict(Counter(talk.status for talk in of_one)) for name, of_one in talks.items()}
        raise Invalid(f"{len(all_talks)} mostly idle streams, but the upstream counted {made} calls. Statuses: {told}.")
    _wait_until_kept(site, since, count)
    return {name: _idle(of_one, before[name], full[name]) for name, of_one in talks.items()}


def _size(chatter: Chatter) -> tuple[float, int]:
    return chatter.running.megabytes(), chatter.descriptors()


def _idle(talks: Sequence[Talk], before: tuple[float, int], full: tuple[float, int]) -> Idle:
    return Idle(
        streams=len(talks),
        errors=sum(talk.is_over or talk.status != 200 or talk.has_failed or talk.pieces < 2 for talk in talks),
        without_heartbeat=sum(not talk.heartbeats for talk in talks),
        heartbeats=sum(talk.heartbeats for talk in talks),
        megabytes_before=before[0],
        megabytes=full[0],
        kilobytes_each=(full[0] - before[0]) * 1024 / len(talks),
        descriptors_before=before[1],
        descriptors=full[1],
        opening_p95_ms=percentile(_added(talks), 0.95),
    )


def _first_words(
    chatter: Chatter,
    talks: Sequence[Talk],
    *,
    cpu: float,
    since: datetime,
    calls: int,
    stand_in: StandIn,
    site: Site,
) -> FirstWords:
    """Raises Invalid where an answer is not whole, or where calls, conversations and the ledger's rows differ in number."""
    used = chatter.running.cpu_seconds() - cpu
    broken = [talk for talk in talks if not (talk.status == 200 and talk.is_whole and talk.first_at) or talk.has_failed]
    if broken:
        raise Invalid(f"{chatter.name}: {len(broken)} of {len(talks)} answers are not whole: {broken[0].heard!r}")
    made = stand_in.counts().calls - calls
    if made != len(talks):
        raise Invalid(f"{chatter.name}: {len(talks)} messages, but the upstream counted {made} calls.")
    if chatter.name == PLATFORM:
        time.sleep(SETTLE_SECONDS)
        kept = kept_since(site.database_url, since - timedelta(seconds=0.01))
        if (kept.answered, kept.others, kept.threads) != (len(talks), 0, len(talks)):
            raise Invalid(f"{chatter.name}: {len(talks)} messages, but the database has {kept}.")
    ordered = _added(talks)
    return FirstWords(
        p50_ms=percentile(ordered, 0.5),
        p95_ms=percentile(ordered, 0.95),
        answers=len(talks),
        cpu_ms=used * 1000 / len(talks),
    )


def _added(talks: Sequence[Talk]) -> list[float]:
    return sorted((talk.first_at - talk.asked_at - FIRST_SECONDS) * 1000 for talk in talks)


def _wait_until_left(stand_in: StandIn, *, others: int, seconds: float = 30.0) -> None:
    """Who leaves must end the run at the model. Raises Invalid where that doesn't happen. `others`: streams of the others."""
    until = time.monotonic() + seconds
    while (still := stand_in.counts().open - others) > SPARE:
        if time.monotonic() > until:
            raise Invalid(f"Their readers left, but {still} streams of the platform go on at the upstream.")
        time.sleep(0.2)


def _wait_until_kept(site: Site, since: datetime, count: int, *, seconds: float = 30.0) -> None:
    """All who left at once are settled and written in turn. Raises Invalid where one of them is not."""
    until = time.monotonic() + seconds
    while (kept := kept_since(site.database_url, since)) and (kept.threads, kept.others + kept.answered) != (
        count,
        count,
    ):
        if time.monotonic() > until:
            raise Invalid(f"{count} mostly idle streams of the platform, but the database has {kept}.")
        time.sleep(0.2)
