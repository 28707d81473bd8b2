"""Rate limits over several keys at once: exact across processes in Redis, and a twin in memory for when there is none.

All limits of a request are decided and charged in one Lua script on Redis's clock, so that parallel requests can never
be admitted twice. The twin is charged along, so that it is warm when Redis fails: then each process limits what it sees
itself, and n processes together admit at most n times a limit.
"""

import logging
import time
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.gcra import Exceeded, Ledger, Limit

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 0.2
# After a failure nobody asks Redis for this long; then one request does, and the others go on with the twin.
LATCH_SECONDS: Final = 1.0
PREFIX: Final = "ckp:limit:"

# KEYS: one per limit. ARGV: interval and tolerance of each, in microseconds. Answer: the number of the limit that
# refuses (0: none) and the microseconds until it would admit.
SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local tats = {}
for i, key in ipairs(KEYS) do
  local tat = math.max(tonumber(redis.call('GET', key) or '0'), now)
  local tolerance = tonumber(ARGV[2 * i])
  if tat - now > tolerance then
    return {i, tat - now - tolerance}
  end
  tats[i] = tat + tonumber(ARGV[2 * i - 1])
end
for i, key in ipairs(KEYS) do
  redis.call('SET', key, string.format('%.0f', tats[i]), 'PX', math.ceil((tats[i] - now) / 1000) + 1)
end
return {0, 0}
"""


class Limiter:
    """Raises nothing: whatever goes wrong with Redis, a request is decided by the twin."""

    def __init__(self, redis: Redis | None = None) -> None:
        self._redis = redis
        self._script = None if redis is None else redis.register_script(SCRIPT)
        self._twin = Ledger()
        self._closed_until = 0.0
        self._is_failing = False

    @property
    def kept_in(self) -> str:
        """Where limits are counted now, in words for an operator."""
        if self._script is None:
            return "in-process"
        return "in-process: Redis does not answer" if self._is_failing else "Redis"

    @property
    def kept_in(self) -> str:
        """Where limits are counted now, in words for the operator."""
        if self._redis is None:
            return "this process"
        return "this process: Redis does not answer" if self._is_failing else "Redis"

    async def take(self, limits: Sequence[Limit]) -> Exceeded | None:
        """Admit one request under all limits and charge them, or charge none and say which refuses."""
        now = time.monotonic()
        if self._script is None or now < self._closed_until:
            return self._twin.take(limits, now=now)
        if self._is_failing:
            # This request is the one that tries; it must not be joined by all that come while it waits.
            self._closed_until = now + LATCH_SECONDS
        try:
            exceeded = await self._ask(limits)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            return self._twin.take(limits, now=now)
        self._answered()
        if exceeded is None:
            self._twin.charge(limits, now=now)
        return exceeded

    def take_here(self, limits: Sequence[Limit]) -> Exceeded | None:
        """The same in this process alone, without any I/O."""
        return self._twin.take(limits, now=time.monotonic())

    async def _ask(self, limits: Sequence[Limit]) -> Exceeded | None:
        assert self._script is not None  # noqa: S101 `take` has looked
        keys = [PREFIX + limit.key for limit in limits]
        arguments = [round(value * 1e6) for limit in limits for value in (limit.interval, limit.tolerance)]
        number, microseconds = await self._script(keys=keys, args=arguments)
        return Exceeded(limits[number - 1], microseconds / 1e6) if number else None

    def _failed(self, error: Exception) -> None:
        self._closed_until = time.monotonic() + LATCH_SECONDS
        if not self._is_failing:
            logger.warning("Redis does not answer (%s): each process limits by itself", type(error).__name__)
        self._is_failing = True

    def _answered(self) -> None:
        self._closed_until = 0.0
        if self._is_failing:
            logger.info("Redis answers again: limits are exact")
        self._is_failing = False


def open_redis(url: str) -> Redis:
    """A client that gives up quickly and never tries twice: the twin is better than waiting."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        retry_on_error=[],
    )
