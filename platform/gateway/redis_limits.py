"""Limits and quotas in Redis: exact across processes, decided and charged by one script on Redis's own clock.

Many requests share one question: whoever comes while an answer is awaited rides in the next one. So a busy process
needs one connection, and the cost of a round trip is spread over all who wait.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX, RAISE_SCRIPT, SCRIPT, Request, decode, encode
from gateway.quotas import Quota
from gateway.redis_conversation import Conversation

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 0.2
# A script holds up every other user of Redis while it runs.
MAX_GROUP: Final = 100
# A counter outlives its period by this: what was reserved just before its end may still be given back.
COUNTER_GRACE_SECONDS: Final = 3600


class RedisSilent(Exception):
    """Redis gave no answer in time, or one that refuses (read-only, out of memory).

    `may_be_charged`: it was asked, so it may have charged all the same.
    """

    def __init__(self, why: str, *, may_be_charged: bool = False) -> None:
        super().__init__(why)
        self.may_be_charged = may_be_charged


_Waiting = tuple[Request, asyncio.Future[Decision]]


class RedisLimits:
    def __init__(self, redis: Redis) -> None:
        self._conversation = Conversation(redis, SCRIPT)
        self._raising = Conversation(redis, RAISE_SCRIPT)
        self._raising_turn = asyncio.Lock()
        self._waiting: list[_Waiting] = []
        # By key of the counter; what Redis did not take stays here for the next question.
        self._given_back: Counter[str] = Counter()
        self._asking: asyncio.Task[None] | None = None

    async def take(self, limits: Sequence[Limit], quotas: Sequence[Quota] = ()) -> Decision:
        """Admit one request under all and charge them, or charge none. Raises RedisSilent."""
        answer: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting.append(((limits, quotas), answer))
        self._ask_soon()
        return await answer

    def give_back(self, quotas: Iterable[Quota]) -> None:
        """What was reserved and not granted; nobody waits for it."""
        self._given_back.update(quota.key for quota in quotas)
        self._ask_soon()

    async def raise_to(self, quota: Quota, used: int) -> None:
        """The counter, made where there is none, is at least this. Raises RedisSilent."""
        goes_at = int(quota.ends_at.timestamp()) + COUNTER_GRACE_SECONDS
        try:
            async with self._raising_turn:
                await self._raising.ask([PREFIX + quota.key], [used, goes_at])
        except (RedisError, OSError, TimeoutError) as error:
            raise RedisSilent(type(error).__name__) from error

    def _ask_soon(self) -> None:
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            while self._waiting or self._given_back:
                group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
                if not await self._ask_for(group):
                    break
        finally:
            self._asking = None

    async def _ask_for(self, group: list[_Waiting]) -> bool:
        """Whether Redis answered; everybody in the group is told, and where it is silent everybody who waits."""
        given_back, self._given_back = self._given_back, Counter()
        requests = [request for request, _ in group]
        try:
            decisions = decode(requests, await self._run(*encode(requests, given_back)))
        except Exception as error:
            # Whatever it is, nobody may wait for ever: the twin decides.
            if not isinstance(error, (RedisError, OSError, TimeoutError)):
                logger.exception("A defect in asking Redis for limits")
            self._given_back.update(given_back)
            # What refuses to write has charged nothing.
            may_be_charged = self._conversation.was_said and not isinstance(error, ResponseError)
            # Those too who would be asked for next: each group would wait out the silence anew, one after the other.
            unasked, self._waiting = self._waiting, []
            for (_, quotas), waiter in group:
                if not waiter.done():
                    waiter.set_exception(RedisSilent(type(error).__name__, may_be_charged=may_be_charged))
                elif may_be_charged:
                    # Who asked has gone meanwhile.
                    self._given_back.update(quota.key for quota in quotas)
            for _, waiter in unasked:
                if not waiter.done():
                    waiter.set_exception(RedisSilent(type(error).__name__))
            return False
        for (_, waiter), decision in zip(group, decisions, strict=True):
            if not waiter.done():
                waiter.set_result(decision)
            elif decision.is_admitted:
                # Who asked has gone meanwhile.
                self._given_back.update(quota.key for quota in decision.quotas)
        return True

    async def _run(self, keys: list[str], arguments: list[int]) -> list[int]:
        try:
            answer: list[int] = await self._conversation.ask(keys, arguments)
        except ReadOnlyError:
            # After a failover the name may lead to another server; a connection that stays would never notice.
            await self._conversation.hang_up()
            raise
        return answer


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
