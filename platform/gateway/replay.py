"""The replay guard: each signed identity opens one chat, and is used up by it.

Whoever begins with an identity reserves it; whoever then gets no session releases it. What was granted stays until
nobody would take the identity any more, fourteen minutes at most. Exact in Redis (SET NX PX), with a twin in memory that
is kept along, so that it is warm when Redis fails.

Tolerance while Redis is away, was emptied, or is not there at all: each process knows only what it saw itself, so an
identity may count once in each. The twin holds 200,000; beyond them the oldest are forgotten.

Many requests share one question, as in `redis_limits`: who comes while an answer is awaited rides in the next one.
"""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.redis_limits import RedisSilent

logger = logging.getLogger(__name__)

PREFIX: Final = "ckp:identity:"
MAX_GROUP: Final = 100
MAX_REMEMBERED: Final = 200_000
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
    """`holder` is random: it tells this reservation from another one's of the same name."""

    name: str
    holder: str


class ReplayGuard:
    """Raises nothing: whatever goes wrong with Redis, the twin decides."""

    def __init__(
        self,
        redis: Redis | None = None,
        *,
        most: int = MAX_REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = None if redis is None else _RedisMarks(redis)
        self._most = most
        self._clock = clock
        self._twin: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._latched_until = float("-inf")
        self._is_failing = False

    async def reserve(self, name: str, *, seconds: float) -> Reservation | None:
        """A reservation of `name` for this long, or None where it is taken."""
        reservation = Reservation(name, secrets.token_hex(8))
        # First of all here, without a pause in between: of two at once in this process one is told so.
        if not self._reserve_here(reservation, seconds):
            return None
        marks = self._to_ask()
        if marks is None:
            return reservation
        try:
            is_free = await marks.reserve(reservation, milliseconds=max(1, int(seconds * 1000)))
        except RedisSilent as silence:
            self._failed(silence)
            return reservation
        except BaseException:
            self._release_here(reservation)
            raise
        self._answered()
        if is_free:
            return reservation
        # Another process has it and may yet release it, which this one would not hear of.
        self._release_here(reservation)
        return None

    async def release(self, reservation: Reservation) -> None:
        """As if it had never been reserved; nothing where it is another's by now."""
        self._release_here(reservation)
        marks = self._to_ask()
        if marks is None:
            return
        try:
            await marks.release(reservation)
        except RedisSilent as silence:
            self._failed(silence)
        else:
            self._answered()

    @property
    def remembered(self) -> int:
        """How many this process knows of."""
        return len(self._twin)

    def _to_ask(self) -> "_RedisMarks | None":
        now = time.monotonic()
        if self._redis is None or now < self._latched_until:
            return None
        if self._is_failing:
            # This request is the one that tries; nobody who comes meanwhile joins it.
            self._latched_until = now + LATCH_SECONDS
        return self._redis

    def _failed(self, silence: RedisSilent) -> None:
        self._latched_until = time.monotonic() + LATCH_SECONDS
        if not self._is_failing:
            logger.warning("Redis does not answer (%s): each process guards against replays by itself", silence)
        self._is_failing = True

    def _answered(self) -> None:
        self._latched_until = float("-inf")
        self._is_failing = False

    def _reserve_here(self, reservation: Reservation, seconds: float) -> bool:
        now = self._clock()
        _holder, until = self._twin.get(reservation.name, ("", now))
        if until > now:
            return False
        self._twin[reservation.name] = (reservation.holder, now + seconds)
        self._twin.move_to_end(reservation.name)
        self._forget(now)
        return True

    def _release_here(self, reservation: Reservation) -> None:
        holder, _until = self._twin.get(reservation.name, ("", 0.0))
        if holder == reservation.holder:
            del self._twin[reservation.name]

    def _forget(self, now: float) -> None:
        """What is over, from the oldest on, and the oldest of what is too much."""
        while self._twin:
            _holder, until = next(iter(self._twin.values()))
            if until > now and len(self._twin) <= self._most:
                return
            self._twin.popitem(last=False)


@dataclass(slots=True)
class _Question:
    reservation: Reservation
    # None: to be released.
    milliseconds: int | None
    answer: asyncio.Future[bool]


class _RedisMarks:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[_Question] = []
        self._asking: asyncio.Task[None] | None = None

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
        try:
            answers = await self._run(group)
        except Exception as error:
            # Whatever it is, nobody may wait for ever: the twin decides.
            if not isinstance(error, (RedisError, OSError, TimeoutError)):
                logger.exception("A defect in asking Redis about replays")
            # Those too who would be asked for next: each group would wait out the silence anew, one after the other.
            silent, self._waiting = group + self._waiting, []
            for question in silent:
                if not question.answer.done():
                    question.answer.set_exception(RedisSilent(type(error).__name__))
            return
        for question, answer in zip(group, answers, strict=True):
            if not question.answer.done():
                question.answer.set_result(bool(answer))

    async def _run(self, group: list[_Question]) -> list[object]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for question in group:
                key, holder = PREFIX + question.reservation.name, question.reservation.holder
                if question.milliseconds is None:
                    pipe.eval(RELEASE_SCRIPT, 1, key, holder)
                else:
                    pipe.set(key, holder, nx=True, px=question.milliseconds)
            return list(await pipe.execute())
