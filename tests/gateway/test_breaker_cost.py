"""U12: a closed breaker stands in nobody's way, however many call at once."""

import asyncio
import time
from statistics import median

import pytest

from gateway.breaker import Breaker
from tests.proof import FULL
from tests.proof.plugin import Proof

CALLS = 4_000
SECONDS = 0.3


@pytest.mark.proof("U12")
@pytest.mark.asyncio
async def test_four_thousand_calls_at_once_are_all_out_together(proof: Proof) -> None:
    breaker = Breaker()
    out = most = 0

    async def guarded() -> None:
        nonlocal out, most
        passage = breaker.enter()
        assert passage is not None
        out += 1
        most = max(most, out)
        await asyncio.sleep(SECONDS)
        out -= 1
        passage.succeeded()

    async def bare() -> None:
        await asyncio.sleep(SECONDS)

    with_it, without = [], []
    for _ in range(proof.size(reduced=3, full=15)):
        for calls, seconds in ((guarded, with_it), (bare, without)):
            began = time.monotonic()
            await asyncio.gather(*[calls() for _ in range(CALLS)])
            seconds.append(time.monotonic() - began)

    throughput = min(without) / min(with_it)
    assert most == CALLS
    if FULL:
        assert throughput >= 0.95
    proof.record(throughput=round(throughput, 3), median_s=round(median(with_it), 3), bare_s=round(median(without), 3))
