"""Lets a message come to a model, or says which limit or budget it meets; and keeps the account of the run that follows.

    account = await admit_run(desk, tenant=…, …)      # PublicError: rate_limited, quota_exceeded (429)
    account.began(key_id=…, model=…)                  # before the model is asked
    account.asked(tokens)                             # at each turn, what its input has
    account.first_words(); account.wrote(len(delta))  # while it streams
    account.used(input_tokens=…, …)                   # what OpenAI tells of each turn
    await account.settle("answered")                  # always, once: "answered", "cut", or the code of the failure

An admitted message is charged to the limits; its tokens are reserved until the account is settled.
"""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Final, Protocol

from chat_server.prices import PRICES
from chat_server.run_account import ANSWERED, CUT, RunAccount, RunFacts, finish_settling, write_run
from chat_server.run_limits import budgets_of, charges_of, input_estimate, limits_of
from gateway.budgets import Reservation
from gateway.chat_tokens import ChatGrant
from gateway.database_threads import DatabaseThreads
from gateway.errors import Code, PublicError
from gateway.fresh_ids import fresh_hex
from gateway.resources import Gateway
from sessions_api.writer import GroupedWriter
from tenants.agents import AgentSnapshot
from tenants.snapshot import AssistantSnapshot, TenantSnapshot

__all__ = ["ANSWERED", "CUT", "RunAccount", "admit_run", "finish_settling"]

# Of one tenant, reason and minute in each process: a visitor who goes on sending must not fill the ledger.
REFUSALS_PER_MINUTE: Final = 20
_refused: Counter[tuple[object, str, int]] = Counter()


class MeteredDesk(Protocol):
    """What is needed of the chat server's desk."""

    @property
    def gateway(self) -> Gateway: ...
    @property
    def writer(self) -> GroupedWriter: ...
    @property
    def threads(self) -> DatabaseThreads: ...


async def admit_run(
    desk: MeteredDesk,
    *,
    tenant: TenantSnapshot,
    assistant: AssistantSnapshot,
    agent: AgentSnapshot,
    grant: ChatGrant,
    operation: str,
    request_id: str,
    input_chars: int,
) -> RunAccount:
    """Room for one run. Raises PublicError: rate_limited, quota_exceeded, and platform_unavailable where nothing can be recorded.

    `input_chars` counts what the visitor sends and what of the conversation goes to the model with it.
    """
    if why := desk.writer.refuses:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason=why)
    at, started = datetime.now(UTC), time.monotonic()
    estimate = input_estimate(agent, input_chars)

    def facts(would_refuse: tuple[str, ...] = ()) -> RunFacts:
        return RunFacts(
            at=at,
            started=started,
            tenant_id=tenant.id,
            assistant_slug=assistant.slug,
            agent_version=agent.number,
            visitor_ref=grant.visitor_ref,
            origin=grant.origin,
            operation=operation[:40],
            request_id=request_id,
            model=agent.model,
            input_estimate=estimate,
            would_refuse=",".join(would_refuse)[:80],
        )

    decision = await desk.gateway.limiter.take(limits_of(tenant, grant.visitor_ref))
    if decision.refused_by is not None:
        reason = decision.refused_by.reason
        await _refused_by(desk, facts(), Code.RATE_LIMITED, reason)
        raise PublicError(Code.RATE_LIMITED, reason=reason, retry_after=decision.retry_after, words=tenant.chat.text)
    price = (await PRICES.book(desk.threads)).price_of(agent.model, at.date())
    charges = charges_of(
        budgets_of(tenant, grant.visitor_ref, at=at),
        input_tokens=estimate,
        output_tokens=agent.max_output_tokens,
        price=price,
    )
    reservation: Reservation = await desk.gateway.budgets.reserve(fresh_hex(), charges)
    if reservation.refused_by is not None:
        reason = reservation.refused_by.reason
        await _refused_by(desk, facts(), Code.QUOTA_EXCEEDED, reason)
        wait = reservation.retry_after(datetime.now(UTC))
        raise PublicError(Code.QUOTA_EXCEEDED, reason=reason, retry_after=wait, words=tenant.chat.text)
    return RunAccount(
        facts=facts((*decision.on_trial, *reservation.on_trial)),
        budgets=desk.gateway.budgets,
        reservation=reservation,
        writer=desk.writer,
        price=price,
    )


async def _refused_by(desk: MeteredDesk, facts: RunFacts, code: Code, reason: str) -> None:
    """The first of a kind in a minute leave a row."""
    minute = int(time.time() // 60)
    if any(seen != minute for _, _, seen in _refused):
        _refused.clear()
    kind = facts.tenant_id, reason, minute
    _refused[kind] += 1
    if _refused[kind] <= REFUSALS_PER_MINUTE:
        await write_run(desk.writer, facts.row(outcome=code.value, reason=reason), is_essential=False)
