"""The replay guard's reservations in Redis (replay.py): made, released, and what is owed to it after an answer was lost.

Many requests share one question, as in `redis_limits`: who comes while an answer is awaited rides in the next one.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.redis_limits import RedisSilent

logger = logging.getLogger(__name__)

PREFIX: Final = "ckp:identity:"
MAX_GROUP: Final = 100
# Only what was asked of Redis in vain is owed, about one a second of an outage; beyond these the oldest are forgotten.
MAX_OWED: Final = 10_000
# After a failure nobody asks Redis for this long; then one request does, and the others go on with the twin.
LATCH_SECONDS: Final = 1.0
# Removes a reservation only if it is ours: what somebody else has used up meanwhile stays so.
RELEASE_SCRIPT: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """`holder` is random: it tells this reservation from another one's of the same name.

    `is_only_here`: Redis was never asked, so it holds nothing of it.
    """

    name: str
    holder: str
    is_only_here: bool = False


@dataclass(slots=True)
class _Question:
    reservation: Reservation
    # None: to be released.
    milliseconds: int | None
    answer: asyncio.Future[bool]


class RedisMarks:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None
        # Releases that Redis did not take, the oldest first; each is told anew with the next question.
        self._owed: OrderedDict[Reservation, None] = OrderedDict()
        self._telling: asyncio.Task[None] | None = None

    def owe(self, reservation: Reservation) -> None:
        """To be released as soon as Redis answers; nobody waits for it."""
        self._owed[reservation] = None
        while len(self._owed) > MAX_OWED:
            self._owed.popitem(last=False)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tells nobody any more; what is still owed expires by itself."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _tell(self) -> None:
        """The visitor may come back through another process, so what is owed can't wait for the next request in this one."""
        try:
            while self._owed:
                await asyncio.sleep(LATCH_SECONDS)
                if self._owed:
                    with suppress(RedisSilent):
                        await self.release(self._owed.popitem(last=False)[0])
        finally:
            self._telling = None

    async def reserve(self, reservation: Reservation, *, milliseconds: int) -> bool:
        """Whether it was free. Raises RedisSilent."""
        return await self._ask(reservation, milliseconds)

    async def release(self, reservation: Reservation) -> None:
        """Raises RedisSilent."""
        await self._ask(reservation, None)

    async def _ask(self, reservation: Reservation, milliseconds: int | None) -> bool:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Question(reservation, milliseconds, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_for_all())
        return await answer

    async def _ask_for_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
                await self._ask_for(group)
        finally:
            self._asking = None

    async def _ask_for(self, group: list[_Question]) -> None:
        owed = [self._owed.popitem(last=False)[0] for _ in range(min(len(self._owed), MAX_GROUP))]
        try:
            answers = (await self._run(owed, group))[len(owed) :]
        except Exception as error:
            # Whatever it is, nobody may wait for ever: the twin decides.
            if not isinstance(error, (RedisError, OSError, TimeoutError)):
                logger.exception("A defect in asking Redis about replays")
            # Those too who would be asked for next: each group would wait out the silence anew, one after the other.
            silent, self._waiting = group + self._waiting, []
            for reservation in owed:
                self.owe(reservation)
            for question in silent:
                if question.milliseconds is None or question.answer.done():
                    self.owe(question.reservation)
                if not question.answer.done():
                    question.answer.set_exception(RedisSilent(type(error).__name__))
            return
        for question, answer in zip(group, answers, strict=True):
            if not question.answer.done():
                question.answer.set_result(bool(answer))
            elif answer and question.milliseconds is not None:
                # Who asked has gone meanwhile, and nobody will use it up.
                self.owe(question.reservation)

    async def _run(self, owed: Sequence[Reservation], group: Sequence[_Question]) -> list[object]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for reservation in owed:
                pipe.eval(RELEASE_SCRIPT, 1, PREFIX + reservation.name, reservation.holder)
            for question in group:
                key, holder = PREFIX + question.reservation.name, question.reservation.holder
                if question.milliseconds is None:
                    pipe.eval(RELEASE_SCRIPT, 1, key, holder)
                else:
                    pipe.set(key, holder, nx=True, px=question.milliseconds)
            return list(await pipe.execute())
