"""Limits in Redis: exact across processes, decided and charged by one script on Redis's own clock.

Many requests share one question: whoever comes while an answer is awaited rides in the next one. So a busy process
needs one connection, and the cost of a round trip is spread over all who wait.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.gcra import Exceeded, Limit

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 0.2
# A script holds up every other user of Redis while it runs.
MAX_GROUP: Final = 100
PREFIX: Final = "ckp:limit:"

# KEYS: those of all requests, one after the other. ARGV: the number of requests, then for each of them the number of
# its limits and their intervals and tolerances in microseconds. Answer: for each request the number of the limit that
# refuses (0: none) and the microseconds until that would admit.
SCRIPT: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answers, key, arg = {}, 0, 1
for request = 1, tonumber(ARGV[1]) do
  arg = arg + 1
  local count, number, wait, tats = tonumber(ARGV[arg]), 0, 0, {}
  for i = 1, count do
    local tat = math.max(tonumber(redis.call('GET', KEYS[key + i]) or '0'), now)
    local beyond = tat - now - tonumber(ARGV[arg + 2 * i])
    if beyond > 0 then
      number, wait = i, beyond
      break
    end
    tats[i] = tat + tonumber(ARGV[arg + 2 * i - 1])
  end
  if number == 0 then
    for i = 1, count do
      local milliseconds = math.ceil((tats[i] - now) / 1000) + 1
      redis.call('SET', KEYS[key + i], string.format('%.0f', tats[i]), 'PX', milliseconds)
    end
  end
  answers[#answers + 1] = number
  answers[#answers + 1] = wait
  key, arg = key + count, arg + 2 * count
end
return answers
"""


class RedisSilent(Exception):
    """Redis gave no answer in time, or one that refuses (read-only, out of memory)."""


_Waiting = tuple[Sequence[Limit], asyncio.Future[Exceeded | None]]


class RedisLimits:
    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(SCRIPT)
        self._waiting: list[_Waiting] = []
        self._asking: asyncio.Task[None] | None = None

    async def take(self, limits: Sequence[Limit]) -> Exceeded | None:
        """Admit one request under all limits and charge them, or charge none. Raises RedisSilent."""
        answer: asyncio.Future[Exceeded | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((limits, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        try:
            await self._ask_for_all()
        finally:
            self._asking = None

    async def _ask_for_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
            try:
                answers = await self._run([limits for limits, _ in group])
            except Exception as error:
                # Whatever it is, nobody may wait for ever: the twin decides.
                if not isinstance(error, (RedisError, OSError, TimeoutError)):
                    logger.exception("A defect in asking Redis for limits")
                for _, waiter in group:
                    if not waiter.done():
                        waiter.set_exception(RedisSilent(type(error).__name__))
            else:
                for (_, waiter), exceeded in zip(group, answers, strict=True):
                    if not waiter.done():
                        waiter.set_result(exceeded)

    async def _run(self, requests: Sequence[Sequence[Limit]]) -> list[Exceeded | None]:
        keys = [PREFIX + limit.key for limits in requests for limit in limits]
        arguments = [len(requests)]
        for limits in requests:
            arguments.append(len(limits))
            for limit in limits:
                arguments += limit.interval, limit.tolerance
        flat = await self._script(keys=keys, args=arguments)
        return [
            Exceeded(limits[number - 1], microseconds / 1e6) if number else None
            for limits, number, microseconds in zip(requests, flat[::2], flat[1::2], strict=True)
        ]


def open_redis(url: str) -> Redis:
    """A client that gives up quickly and never tries twice: the twin in memory is better than waiting."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        retry_on_error=[],
    )
