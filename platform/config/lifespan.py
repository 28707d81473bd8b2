"""Opens what the public door works with when a server process starts, and closes it in order when it ends.

Nothing here needs the database or Redis to be up: a process starts without them and becomes ready when they are.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from django.conf import settings

from chat_server.metering import finish_settling
from chat_server.run_usage import RunUsage
from chatkit_client.client import ChatKitClient
from chatkit_client.transport import Transport
from config.chat_door import ChatDoor
from encryption.models import site_secret
from gateway.asgi_types import Receive, Scope, Send
from gateway.breaker import Breakers
from gateway.bulkhead import Bulkhead
from gateway.database_threads import with_fresh_connection
from gateway.lean import LeanHandler
from gateway.limits import Limiter
from gateway.redis_limits import RedisLimits, open_redis
from gateway.replay import ReplayGuard
from gateway.resources import STATE_KEY as GATEWAY
from gateway.resources import Gateway
from gateway.retry_budget import RetryBudget
from gateway.snapshots import SnapshotStore
from gateway.token_budgets import TokenBudgets
from sessions_api.desk import STATE_KEY as SESSIONS
from sessions_api.desk import Desk
from sessions_api.hints import load_broker_client
from sessions_api.spool import Spool
from sessions_api.usage import LedgerUsage
from sessions_api.writer import GroupedWriter
from tenants.snapshot import DatabaseSource

logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = 5.0
# At most some 10 MB of cyclic garbage wait for the youngest generation's turn.
COLLECTOR_THRESHOLDS: Final = (20_000, 20, 20)


async def run_lifespan(
    scope: Scope, receive: Receive, send: Send, doors: tuple[LeanHandler, ...], chat: ChatDoor | None = None
) -> None:
    """ASGI's lifespan protocol: the resources are handed to every request in `scope["state"]`."""
    await receive()
    async with AsyncExitStack() as stack:
        try:
            state = await stack.enter_async_context(open_resources(doors, chat))
        except Exception as error:
            logger.exception("The server could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        scope["state"].update(state)
        _calm_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


def _calm_collector() -> None:
    """Let the garbage collector look at what requests leave behind, and neither at all that was loaded nor all the time.

    What was imported lives as long as the process, yet each full collection walked through it; and a session makes hundreds of
    objects that end by themselves. At the defaults (700, 10, 10) collecting took 7 % of a busy process (bench/README.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


@asynccontextmanager
async def open_resources(
    doors: tuple[LeanHandler, ...], chat: ChatDoor | None = None
) -> AsyncIterator[dict[str, object]]:
    """What endpoints find in their request's state. Closed last first: answers in work, rows, OpenAI, Redis, database."""
    async with AsyncExitStack() as stack:
        snapshots = SnapshotStore(DatabaseSource())
        stack.push_async_callback(snapshots.close)
        await snapshots.open()
        redis = open_redis(settings.REDIS_URL) if settings.REDIS_URL else None
        if redis is not None:
            stack.push_async_callback(redis.aclose)
        limiter = Limiter(None if redis is None else RedisLimits(redis), LedgerUsage())
        stack.push_async_callback(limiter.close)
        budgets = TokenBudgets(redis, RunUsage())
        stack.push_async_callback(budgets.close)
        transport = await stack.enter_async_context(
            Transport(allowed_base_urls=settings.OPENAI_BASE_URLS.values(), ca_file=settings.OPENAI_CA_FILE or None)
        )
        replay = ReplayGuard(redis)
        stack.push_async_callback(replay.close)
        gateway = Gateway(
            snapshots=snapshots,
            limiter=limiter,
            breakers=Breakers(),
            bulkhead=Bulkhead(capacity=settings.TENANT_CONCURRENCY, total=settings.PROCESS_CONCURRENCY),
            replay=replay,
            retries=RetryBudget(),
            budgets=budgets,
        )
        await asyncio.to_thread(_prepare_first_save, database_answers=snapshots.is_answering)
        spool = await asyncio.to_thread(Spool, settings.SPOOL_DIR, max_bytes=settings.SPOOL_MAX_BYTES)
        if spool.problem:
            logger.error("%s: without the database no session is granted. See docs/operating.md.", spool.problem)
        writer = GroupedWriter(spool, is_answering=lambda: snapshots.is_answering)
        desk = Desk(gateway=gateway, client=ChatKitClient(transport), writer=writer)
        desk.open()
        stack.push_async_callback(desk.close, seconds=DRAIN_SECONDS)
        stack.push_async_callback(finish_settling, seconds=DRAIN_SECONDS)
        for door in doors:
            # The server has stopped listening by now, but it cancels what takes long and does not wait for its end.
            stack.push_async_callback(door.finish, seconds=DRAIN_SECONDS)
        # Last opened, first closed: half an answer is saved while there is still a database to save it in.
        of_chat = {} if chat is None else await stack.enter_async_context(chat.open(desk))
        yield {GATEWAY: gateway, SESSIONS: desk, **of_chat}


def _prepare_first_save(*, database_answers: bool) -> None:
    """What somebody's first save in the console would else wait for. Where it fails, that save tries again and says why."""
    load_broker_client()
    if not database_answers:
        return
    try:
        with_fresh_connection(lambda: site_secret("fingerprint"))
    except Exception as error:
        logger.warning("The site's fingerprint key was not opened at the start (%s)", type(error).__name__)
