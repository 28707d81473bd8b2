"""L7: after an outage a thousand pages come back spread, since they wait as long as they are told and a little longer.

By arithmetic on times instead of a thousand browsers; the rules and numbers are those of the embed script.
"""

import heapq
import random
import re
from collections import Counter

import pytest

from gateway.errors import Code, PublicError
from gateway.gcra import Limit
from gateway.limit_twin import Twin
from tests.platform_server import ROOT
from tests.proof.plugin import Proof

SCRIPT = (ROOT / "frontend" / "embed" / "src" / "sessions.ts").read_text()
PAGES, OUTAGE = 1_000, 30.0


def number(name: str) -> float:
    [found] = re.findall(rf"^const {name} = ([\d_]+);", SCRIPT, flags=re.MULTILINE)
    return float(found)


def test_the_embed_script_waits_by_the_rule_that_is_played_here() -> None:
    assert "Math.max(retryAfter * 1000, FIRST_PAUSE * 2 ** (attempt - 1))" in SCRIPT
    assert "least * (1 + random / 2)" in SCRIPT
    assert "notBefore = now + problem.retryAfter * 1000" in SCRIPT


def pause(attempt: int, retry_after: float, chance: random.Random) -> float:
    """`pauseBefore` of the script, in seconds."""
    return max(retry_after, number("FIRST_PAUSE") / 1000 * 2 ** (attempt - 1)) * (1 + chance.random() / 2)


def calls_by_second(*, per_minute: int, chance: random.Random) -> tuple[Counter[int], float]:
    """The calls of each second while 1,000 pages try until they have a session, and when the last one has it.

    OpenAI is away for the first 30 s: then a call costs a Retry-After of what the platform says. Afterwards the tenant's
    own limit decides, which says how long to wait as well.
    """
    away = PublicError(Code.UPSTREAM_UNAVAILABLE).retry_after
    assert away is not None
    twin, limit = Twin(), Limit("tenant", per_minute, "tenant_limit")
    attempts = int(number("ATTEMPTS"))
    # The pages of one site were opened in the minute before.
    waiting = [(chance.random() * 5, page, 1) for page in range(PAGES)]
    heapq.heapify(waiting)
    calls: Counter[int] = Counter()
    last = 0.0
    while waiting:
        at, page, attempt = heapq.heappop(waiting)
        calls[int(at)] += 1
        decision = twin.take([limit], now=round(at * 1e6) + 10**9)
        if decision.is_admitted and at >= OUTAGE:
            last = at
            continue
        retry_after = float(away)
        if not decision.is_admitted:
            told = PublicError(Code.RATE_LIMITED, retry_after=decision.retry_after).retry_after
            assert told is not None
            retry_after = told
        # After its last attempt a page waits for its visitor, or for ChatKit, to ask again: no sooner than it was told.
        again = pause(attempt, retry_after, chance)
        if attempt == attempts:
            again += chance.random() * 5
        heapq.heappush(waiting, (at + again, page, attempt % attempts + 1))
    return calls, last


@pytest.mark.proof("L7")
def test_a_thousand_pages_come_back_with_at_most_three_times_the_steady_rate(proof: Proof) -> None:
    worst = 0.0
    for seed in range(proof.size(reduced=3, full=50)):
        calls, last = calls_by_second(per_minute=100_000, chance=random.Random(seed))
        during = [calls[second] for second in range(10, int(OUTAGE))]
        steady = sum(during) / len(during)
        peak = max(calls[second] for second in range(int(OUTAGE), int(last) + 2))
        worst = max(worst, peak / steady)

    assert worst <= 3
    proof.record(pages=PAGES, outage_seconds=OUTAGE, worst_peak_by_steady=round(worst, 2))


@pytest.mark.proof("L7")
def test_behind_a_limit_that_all_of_them_share_everybody_gets_a_session_and_no_second_is_a_flood(proof: Proof) -> None:
    """600 a minute admit 1,000 pages within a minute or so; those who wait don't call much more often than they did."""
    calls, last = calls_by_second(per_minute=600, chance=random.Random(7))
    during = [calls[second] for second in range(10, int(OUTAGE))]
    steady = sum(during) / len(during)
    after = [calls[second] for second in range(int(OUTAGE), int(last) + 1)]

    assert max(after) <= 3 * steady
    assert last < OUTAGE + 150
    proof.record(peak_by_steady=round(max(after) / steady, 2), last_after_seconds=round(last - OUTAGE, 1))
