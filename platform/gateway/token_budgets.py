"""Budgets of tokens and money: reserved before a run, settled after it, reconciled with the ledger of runs.

Exact in Redis by scripts (budget_script.py), with a twin in memory for when there is none, as limits and quotas are. What
is used is at least what the ledger says: a counter that is missing (Redis was emptied, a new day, a budget that is new) is
made from it while whoever asks waits, and compared with it from time to time while nobody does. So what a process lost
when it was killed, or settled while Redis was away, is counted as far as the ledger knows it.

Whoever settles does so before its row is in the ledger. The other way round a comparison in between would count it twice.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.budget_script import (
    RAISE,
    RESERVE,
    SETTLE,
    decode_reserve,
    encode_reserve,
    encode_settle,
    keys_of,
)
from gateway.budget_twin import BudgetTwin
from gateway.budgets import Budget, Charge, Measure, Reservation
from gateway.quota_counters import QuotaCounters
from gateway.redis_conversation import Conversation

logger = logging.getLogger(__name__)

# Longer than any run: a hold that is older is of a process that ended without settling.
HOLD_SECONDS: Final = 900
# After a failure nobody asks Redis for this long.
LATCH_SECONDS: Final = 1.0
# A counter outlives its period by this, for runs that began just before its end.
COUNTER_GRACE_SECONDS: Final = 3600


class LedgerOfRuns(Protocol):
    """The database, as far as it is needed here; synchronous, run in threads."""

    def used(self, budget: Budget) -> int: ...


class TokenBudgets:
    """One per process. Raises nothing: whatever goes wrong with Redis, a run is decided by the twin."""

    def __init__(
        self, redis: Redis | None = None, ledger: LedgerOfRuns | None = None, *, hold_seconds: float = HOLD_SECONDS
    ) -> None:
        self._redis = redis
        self._lasts_ms = round(hold_seconds * 1000)
        self._twin = BudgetTwin(lasts=hold_seconds)
        self._counters = None if ledger is None else QuotaCounters[Budget](ledger, self._raise_to, name="budgets")
        self._turn = asyncio.Lock()
        self._talks: dict[str, Conversation] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._latched_until = 0.0
        self._is_failing = False

    async def close(self) -> None:
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=1)
        if self._counters is not None:
            await self._counters.close()

    async def reserve(self, run_id: str, charges: Sequence[Charge]) -> Reservation:
        """Room for one run in all budgets, or in none of them and which refuses. `run_id` is unique.

        A budget whose counter can't be known, since the database is silent too, refuses nobody: its runs are counted when
        the counter is made.
        """
        if not charges:
            return Reservation(run_id)
        reservation = await self._whole(self._decide(run_id, charges))
        if reservation.is_unknown and self._counters is not None:
            await self._counters.make([charge.budget for charge in charges])
            reservation = await self._whole(self._decide(run_id, charges))
        elif self._counters is not None:
            self._counters.compare([charge.budget for charge in charges], alone=not reservation.is_by_redis)
        return Reservation(run_id) if reservation.is_unknown else reservation

    async def settle(self, reservation: Reservation, actual: Mapping[Measure, int]) -> None:
        """What the run used indeed, in place of what was held for it; nothing the second time."""
        if not reservation.charges or not reservation.is_admitted:
            return
        self._twin.settle(reservation, actual)
        if reservation.is_by_redis and self._redis is not None:
            await asyncio.shield(self._aside(self._settle_in_redis(reservation, actual)))

    async def give_back(self, reservation: Reservation) -> None:
        """Nothing was used."""
        await self.settle(reservation, {})

    async def _whole(self, deciding: Coroutine[Any, Any, Reservation]) -> Reservation:
        """Whoever leaves while Redis is asked holds nothing afterwards."""
        task = self._aside(deciding)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(lambda done: self._aside(self.give_back(done.result())))
            raise

    def _aside(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _decide(self, run_id: str, charges: Sequence[Charge]) -> Reservation:
        if self._redis is not None and time.monotonic() >= self._latched_until:
            answer = await self._ask(RESERVE, *encode_reserve(run_id, charges, lasts_ms=self._lasts_ms))
            if answer is not None:
                reservation = decode_reserve(run_id, charges, answer)
                if reservation.is_admitted:
                    self._twin.follow(reservation, now=time.monotonic())
                return reservation
        return self._twin.reserve(run_id, charges, now=time.monotonic())

    async def _settle_in_redis(self, reservation: Reservation, actual: Mapping[Measure, int]) -> None:
        # Where Redis is silent nothing is repeated: the hold lapses, and the ledger's row makes up for the rest.
        await self._ask(SETTLE, *encode_settle(reservation, actual))

    async def _raise_to(self, budget: Budget, used: int) -> None:
        self._twin.raise_to(budget, used)
        if self._redis is not None and time.monotonic() >= self._latched_until:
            await self._ask(RAISE, keys_of([budget]), [used, int(budget.ends_at.timestamp()) + COUNTER_GRACE_SECONDS])

    async def _ask(self, script: str, keys: list[str], arguments: Sequence[int | str]) -> Any:
        """What the script answers; None where Redis is silent, or refuses."""
        if self._redis is None:
            return None
        async with self._turn:
            talk = self._talks.setdefault(script, Conversation(self._redis, script))
            try:
                answer = await talk.ask(keys, arguments)
            except (RedisError, OSError, TimeoutError) as error:
                await talk.hang_up()
                self._failed(error)
                return None
        if self._is_failing:
            logger.info("Redis answers again: budgets are exact")
        self._is_failing = False
        return answer or 0

    def _failed(self, error: Exception) -> None:
        self._latched_until = time.monotonic() + LATCH_SECONDS
        if not self._is_failing:
            logger.warning("Redis does not answer (%s): each process keeps budgets by itself", type(error).__name__)
        self._is_failing = True
