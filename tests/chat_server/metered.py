"""A desk for runs that no model answers: the real limiter, budgets, writer and threads of one process."""

import time
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from chat_server.metering import RunAccount, admit_run
from chat_server.models import ModelPrice
from chat_server.run_usage import RunUsage
from gateway.chat_tokens import ChatGrant
from gateway.database_threads import DatabaseThreads
from gateway.limits import Limiter
from gateway.redis_limits import RedisLimits, open_redis
from gateway.token_budgets import TokenBudgets
from sessions_api.spool import Spool
from sessions_api.writer import GroupedWriter
from tenants.agents import AgentSnapshot
from tenants.models import Tenant
from tenants.snapshot import load_snapshot

MODEL = "gpt-sandbox"


@dataclass
class Metered:
    """Everything that `admit_run` is told, but for the visitor."""

    gateway: Any
    writer: GroupedWriter
    threads: DatabaseThreads

    async def admit(self, tenant: Tenant, *, visitor: str = "v1", **more: Any) -> RunAccount:
        snapshot = await self.threads.run(lambda: load_snapshot(tenant.public_id), seconds=5)
        assert snapshot is not None
        given: dict[str, Any] = {
            "tenant": snapshot,
            "assistant": snapshot.default_assistant or SimpleNamespace(slug="help"),
            "agent": an_agent(),
            "grant": a_grant(visitor),
            "operation": "threads.create",
            "request_id": "req_" + uuid.uuid4().hex,
            "input_chars": 300,
        }
        return await admit_run(self, **{**given, **more})


@asynccontextmanager
async def metered(spool: Spool | None = None) -> Any:
    redis = open_redis(settings.REDIS_URL) if settings.REDIS_URL else None
    budgets = TokenBudgets(redis, RunUsage())
    limiter = Limiter(None if redis is None else RedisLimits(redis))
    writer, threads = GroupedWriter(spool), DatabaseThreads("chat", size=1)
    writer.start()
    yield Metered(SimpleNamespace(limiter=limiter, budgets=budgets), writer, threads)
    writer.close(seconds=5)
    threads.close(seconds=5)
    await budgets.close()
    await limiter.close()
    if redis is not None:
        await redis.aclose()


def an_agent(**fields: Any) -> AgentSnapshot:
    given: dict[str, Any] = {
        "version_id": uuid.uuid4(),
        "number": 3,
        "instructions": "",
        "model": MODEL,
        "vector_store_ids": (),
        "web_search": False,
        "client_tools": (),
        "ask_visitor": False,
        "max_input_chars": 4000,
        "max_turns": 8,
        "max_output_tokens": 400,
    }
    return AgentSnapshot(**{**given, **fields})


def a_grant(visitor: str) -> ChatGrant:
    now = int(time.time())
    return ChatGrant(uuid.uuid4(), visitor, "anon", "https://shop.example", now, now + 600, 0, 0, 0)


def give_price(
    model: str = MODEL, *, since: date = date(2026, 1, 1), dollars: tuple[str, str, str] = ("2", "0.5", "8")
) -> ModelPrice:
    """Of input, cached input and output."""
    plain, cached, output = (Decimal(each) for each in dollars)
    return ModelPrice.objects.create(
        model=model,
        valid_from=since,
        input_per_million=plain,
        cached_input_per_million=cached,
        output_per_million=output,
    )
