"""The replay guard: each signed identity opens one chat, and is used up by it.

Whoever begins with an identity reserves it; whoever then gets no session releases it. What was granted stays until
nobody would take the identity any more, fourteen minutes at most. Exact in Redis (SET NX PX), with a twin in memory that
is kept along, so that it is warm when Redis fails.

A reservation whose answer was lost may stand in Redis all the same. Whoever then gets no session owes Redis a release, which
is told as soon as it answers again: else an honest visitor would be refused for those fourteen minutes.

Tolerance while Redis is away, was emptied, or is not there at all: each process knows only what it saw itself, so an
identity may count once in each. The twin holds 200,000; beyond them the oldest are forgotten.
"""

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from redis.asyncio import Redis

from gateway.redis_limits import RedisSilent
from gateway.replay_marks import LATCH_SECONDS, RedisMarks, Reservation

logger = logging.getLogger(__name__)

MAX_REMEMBERED: Final = 200_000


class ReplayGuard:
    """Raises nothing: whatever goes wrong with Redis, the twin decides."""

    def __init__(
        self,
        redis: Redis | None = None,
        *,
        most: int = MAX_REMEMBERED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = None if redis is None else RedisMarks(redis)
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
            return replace(reservation, is_only_here=True)
        try:
            is_free = await marks.reserve(reservation, milliseconds=max(1, int(seconds * 1000)))
        except RedisSilent as silence:
            self._failed(silence)
            return reservation
        except BaseException:
            # Who asked has gone. Redis is told by whoever sees its answer (replay_marks.py).
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
        if self._redis is None or reservation.is_only_here:
            return
        marks = self._to_ask()
        if marks is None:
            self._redis.owe(reservation)
            return
        try:
            await marks.release(reservation)
        except RedisSilent as silence:
            self._failed(silence)
        else:
            self._answered()

    async def close(self) -> None:
        """Tells nobody any more; what is still owed expires by itself."""
        if self._redis is not None:
            await self._redis.close()

    @property
    def remembered(self) -> int:
        """How many this process knows of."""
        return len(self._twin)

    def _to_ask(self) -> RedisMarks | None:
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
