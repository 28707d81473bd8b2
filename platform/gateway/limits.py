"""Limits and quotas over several keys at once: exact in Redis, and a twin in memory for when there is none.

The twin is charged along with Redis, so that it is warm when Redis fails. Then each process limits what it sees itself:
n processes together admit at most n times a limit. A quota's counter is kept to what the database says, so of a quota
they admit at most what all of them grant within ten seconds beyond it.

Where an answer of Redis was lost, nobody knows whether it charged. What is then not granted is given back in any case: a
counter that is too low by it is raised to what the database says when that is compared next (`QuotaCounters`), whereas
one that is too high would stay so until the period ends.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_twin import Twin
from gateway.quota_counters import QuotaCounters, UsageSource
from gateway.quotas import Quota
from gateway.redis_limits import RedisLimits, RedisSilent

logger = logging.getLogger(__name__)

# After a failure nobody asks Redis for this long; then one request does, and the others go on with the twin.
LATCH_SECONDS: Final = 1.0


class Limiter:
    """Raises nothing: whatever goes wrong with Redis, a request is decided by the twin."""

    def __init__(self, redis: RedisLimits | None = None, usage: UsageSource[Quota] | None = None) -> None:
        self._redis = redis
        self._twin = Twin()
        self._counters = None if usage is None else QuotaCounters(usage, self._raise_to)
        self._latched_until = 0.0
        self._is_failing = False

    async def close(self) -> None:
        if self._counters is not None:
            await self._counters.close()

    @property
    def kept_in(self) -> str:
        """Where limits are counted now, in words for an operator."""
        if self._redis is None:
            return "this process"
        return "this process: Redis does not answer" if self._is_failing else "Redis"

    async def take(self, limits: Sequence[Limit], quotas: Sequence[Quota] = ()) -> Decision:
        """Admit one request under all and charge them, or charge none and say which refuses.

        A quota whose counter can't be known, since the database is silent too, refuses nobody: the session is counted
        when the counter is made. Quotas of the decision are those that it was charged to.
        """
        decision = await self._decide(limits, quotas)
        if self._counters is None:
            return await self._decide(limits, ()) if decision.is_unknown else decision
        if decision.is_unknown:
            await self._counters.make(quotas)
            decision = await self._decide(limits, quotas)
            return await self._decide(limits, ()) if decision.is_unknown else decision
        if quotas:
            self._counters.compare(quotas, alone=not decision.is_by_redis)
        return decision

    def take_here(self, limits: Sequence[Limit], quotas: Sequence[Quota] = ()) -> Decision:
        """The same in this process alone, without any I/O."""
        return self._twin.take(limits, quotas, now=_microseconds())

    def give_back(self, decision: Decision) -> None:
        """What an admitted request had reserved of its quotas, and was not granted."""
        if not decision.quotas or not decision.is_admitted:
            return
        self._twin.give_back(decision.quotas)
        if (decision.is_by_redis or decision.may_be_in_redis) and self._redis is not None:
            self._redis.give_back(decision.quotas)

    async def _decide(self, limits: Sequence[Limit], quotas: Sequence[Quota]) -> Decision:
        now = time.monotonic()
        if self._redis is None or now < self._latched_until:
            return self.take_here(limits, quotas)
        if self._is_failing:
            # This request is the one that tries; nobody who comes meanwhile joins it.
            self._latched_until = now + LATCH_SECONDS
        try:
            decision = await self._redis.take(limits, quotas)
        except RedisSilent as silence:
            self._failed(silence)
            decision = self.take_here(limits, quotas)
            if not silence.may_be_charged:
                return decision
            if decision.is_admitted:
                return replace(decision, may_be_in_redis=True)
            self._redis.give_back(quotas)
            return decision
        self._answered()
        if decision.is_admitted:
            self._twin.follow(decision, now=_microseconds())
        return decision

    async def _raise_to(self, quota: Quota, used: int) -> None:
        self._twin.raise_to(quota, used)
        if self._redis is None or time.monotonic() < self._latched_until:
            return
        try:
            await self._redis.raise_to(quota, used)
        except RedisSilent as silence:
            self._failed(silence)

    def _failed(self, silence: RedisSilent) -> None:
        self._latched_until = time.monotonic() + LATCH_SECONDS
        if not self._is_failing:
            logger.warning("Redis does not answer (%s): each process limits by itself", silence)
        self._is_failing = True

    def _answered(self) -> None:
        self._latched_until = 0.0
        if self._is_failing:
            logger.info("Redis answers again: limits are exact")
        self._is_failing = False


def _microseconds() -> int:
    return time.monotonic_ns() // 1000
