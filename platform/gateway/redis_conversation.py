"""One connection of a Redis client, kept for scripts that are asked one after the other.

The client's own way to run a script takes a connection out of the pool and back for each call, counts that, packs words
one by one and wraps the call in two kinds of retries: under load that cost the session endpoint more than the answer
(bench/README.md). What is kept of the client: how to connect, time-outs, and that a connection which fails is closed
and opened anew by the next call.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, NoScriptError


class Conversation:
    """For one task at a time: answers come in the order of the questions. Closed with its client."""

    def __init__(self, redis: Redis, script: str) -> None:
        self._redis = redis
        self._script = script
        self._digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._connection: AbstractConnection | None = None
        # Whether the last question left this process: then it may have been evaluated though no answer came.
        self.was_said = False

    async def ask(self, keys: Sequence[str], arguments: Sequence[int | str]) -> Any:
        """What the script answers. Raises RedisError, OSError and TimeoutError."""
        self.was_said = False
        if self._connection is None:
            self._connection = await self._redis.connection_pool.get_connection()  # type: ignore[no-untyped-call]
        connection = self._connection
        had_carried = connection.is_connected
        try:
            return await self._evaluate(connection, keys, arguments)
        except ConnectionError:
            # Redis was started anew since the last answer, or had closed an idle connection. Should it have evaluated all the
            # same, a limit is charged twice, which harms nobody.
            if not had_carried:
                raise
            self.was_said = False
            return await self._evaluate(connection, keys, arguments)

    async def _evaluate(
        self, connection: AbstractConnection, keys: Sequence[str], arguments: Sequence[int | str]
    ) -> Any:
        try:
            return await self._say(connection, "EVALSHA", self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            # This Redis was emptied or is another one. It keeps what it evaluates.
            return await self._say(connection, "EVAL", self._script, len(keys), *keys, *arguments)

    async def hang_up(self) -> None:
        """The next question is asked on a new connection, which the host's name may lead elsewhere."""
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    async def _say(self, connection: AbstractConnection, *words: str | int) -> Any:
        packed = pack_command(words)  # type: ignore[arg-type]  # its stub knows tuples of one word only
        await connection.send_packed_command([packed], check_health=False)
        self.was_said = True
        return await connection.read_response()
