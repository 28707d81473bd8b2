"""One process of a crowd whose runs spend one budget at the same moment; started by test_budgets_across_processes."""

import asyncio
import random
import sys
import uuid
from datetime import datetime
from typing import Any

import django

from gateway.budgets import Budget, Charge, Measure
from gateway.fresh_ids import fresh_hex
from gateway.quotas import Period
from gateway.redis_limits import open_redis
from gateway.token_budgets import TokenBudgets

HOLD_SECONDS = 1.5


class NothingYet:
    def used(self, budget: Budget) -> int:
        return 0


def budget_of(key: str, most: int) -> Budget:
    at = datetime.fromisoformat("2030-01-01T12:00:00+00:00")
    return Budget.of(uuid.uuid5(uuid.NAMESPACE_OID, key), Measure.TOKENS, Period.DAY, most, at=at, reason="tokens_day")


async def crowd(url: str, key: str, most: int, amount: int, tasks: int, dies: bool) -> tuple[int, int, int]:
    """What all runs of this process used, how many there were, and how many were refused for good."""
    client: Any = open_redis(url) if url else None
    budgets = TokenBudgets(client, NothingYet(), hold_seconds=HOLD_SECONDS)
    charge = Charge(budget_of(key, most), amount)
    drawn = random.Random(fresh_hex())

    async def spend() -> tuple[int, int]:
        used = runs = 0
        while True:
            reservation = await budgets.reserve(fresh_hex(), [charge])
            if reservation.is_admitted:
                if dies:
                    # Until somebody kills this process.
                    print("holding", flush=True)
                    await asyncio.sleep(60)
                await asyncio.sleep(drawn.random() / 500)
                actual = drawn.randint(1, amount)
                await budgets.settle(reservation, {Measure.TOKENS: actual})
                used, runs = used + actual, runs + 1
            elif reservation.used[0] >= most:
                return used, runs
            else:
                # The rest is held for runs in work.
                await asyncio.sleep(0.005)

    other = Charge(budget_of(key + "first", most), amount)
    assert (await budgets.reserve(fresh_hex(), [other])).is_admitted
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    each = await asyncio.gather(*[spend() for _ in range(tasks)])
    await budgets.close()
    if client:
        await client.aclose()
    return sum(used for used, _ in each), sum(runs for _, runs in each), len(each)


if __name__ == "__main__":
    django.setup()
    url, key, *numbers = sys.argv[1:]
    most, amount, tasks, dies = (int(number) for number in numbers)
    print(*asyncio.run(crowd(url, key, most, amount, tasks, bool(dies))), flush=True)
