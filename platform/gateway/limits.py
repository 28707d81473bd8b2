"""Rate limits over several keys at once: exact in Redis, and a twin in memory for when there is none.

The twin is charged along with Redis, so that it is warm when Redis fails. Then each process limits what it sees itself:
n processes together admit at most n times a limit.
"""

import logging
import time
from collections.abc import Sequence
from typing import Final

from gateway.gcra import Exceeded, Ledger, Limit
from gateway.redis_limits import RedisLimits, RedisSilent

logger = logging.getLogger(__name__)

# After a failure nobody asks Redis for this long; then one request does, and the others go on with the twin.
LATCH_SECONDS: Final = 1.0


class Limiter:
    """Raises nothing: whatever goes wrong with Redis, a request is decided by the twin."""

    def __init__(self, redis: RedisLimits | None = None) -> None:
        self._redis = redis
        self._twin = Ledger()
        self._latched_until = 0.0
        self._is_failing = False

    @property
    def kept_in(self) -> str:
        """Where limits are counted now, in words for an operator."""
        if self._redis is None:
            return "this process"
        return "this process: Redis does not answer" if self._is_failing else "Redis"

    async def take(self, limits: Sequence[Limit]) -> Exceeded | None:
        """Admit one request under all limits and charge them, or charge none and say which refuses."""
        now = time.monotonic()
        if self._redis is None or now < self._latched_until:
            return self.take_here(limits)
        if self._is_failing:
            # This request is the one that tries; nobody who comes meanwhile joins it.
            self._latched_until = now + LATCH_SECONDS
        try:
            exceeded = await self._redis.take(limits)
        except RedisSilent as silence:
            self._failed(silence)
            return self.take_here(limits)
        self._answered()
        if exceeded is None:
            self._twin.charge(limits, now=_microseconds())
        return exceeded

    def take_here(self, limits: Sequence[Limit]) -> Exceeded | None:
        """The same in this process alone, without any I/O."""
        return self._twin.take(limits, now=_microseconds())

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
