"""Which limits and budgets one message to an assistant meets, and what its run is expected to need."""

import json
from datetime import datetime
from typing import Final

from chat_server.prices import Price, cost
from gateway.budgets import Budget, Charge, Measure
from gateway.gcra import Limit
from gateway.quotas import Period
from tenants.agents import AgentSnapshot
from tenants.limit_names import LimitName
from tenants.snapshot import TenantSnapshot

# English has about four characters in a token, other languages fewer.
CHARS_PER_TOKEN: Final = 3


def tokens_in(chars: int) -> int:
    """At least so many tokens are taken for so much text where nobody has counted them."""
    return -(-chars // CHARS_PER_TOKEN)


def input_estimate(agent: AgentSnapshot, input_chars: int) -> int:
    """Tokens: what the visitor sent, with what was said before; the instructions and the tools."""
    tools = len(json.dumps(agent.client_tools)) if agent.client_tools else 0
    return tokens_in(input_chars + len(agent.instructions) + tools)


def limits_of(tenant: TenantSnapshot, visitor_ref: str) -> list[Limit]:
    """The first that refuses is the one that is told."""
    each, name, on_trial = tenant.chat, tenant.id.hex, tenant.limits.log_only
    return [
        Limit(
            f"chat:{name}",
            each.messages_per_minute,
            LimitName.CHAT_TENANT.value,
            is_on_trial=LimitName.CHAT_TENANT in on_trial,
        ),
        Limit(
            f"chat:{name}:{visitor_ref}",
            each.messages_per_minute_per_visitor,
            LimitName.CHAT_VISITOR.value,
            is_callers=True,
            is_on_trial=LimitName.CHAT_VISITOR in on_trial,
        ),
    ]


def budgets_of(tenant: TenantSnapshot, visitor_ref: str, *, at: datetime) -> list[Budget]:
    """By the time of the message, as the ledger has it."""
    sizes = (
        (LimitName.TOKENS_DAY, Measure.TOKENS, Period.DAY, tenant.chat.tokens_per_day, ""),
        (LimitName.VISITOR_TOKENS_DAY, Measure.TOKENS, Period.DAY, tenant.chat.tokens_per_day_per_visitor, visitor_ref),
        (LimitName.COST_MONTH, Measure.COST, Period.MONTH, tenant.chat.cost_per_month, ""),
    )
    return [
        Budget.of(
            tenant.id,
            measure,
            period,
            most,
            at=at,
            reason=name.value,
            visitor_ref=whose,
            is_on_trial=name in tenant.limits.log_only,
        )
        for name, measure, period, most, whose in sizes
        if most
    ]


def charges_of(budgets: list[Budget], *, input_tokens: int, output_tokens: int, price: Price | None) -> list[Charge]:
    """A run without a price takes nothing of the money: nobody knows what."""
    amounts = {
        Measure.TOKENS: input_tokens + output_tokens,
        Measure.COST: 0
        if price is None
        else cost(price, input_tokens=input_tokens, cached_tokens=0, output_tokens=output_tokens),
    }
    return [Charge(budget, amounts[budget.measure]) for budget in budgets]
