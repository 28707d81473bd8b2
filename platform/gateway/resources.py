"""What every endpoint of the public door works with; opened by config.lifespan, one of each per process."""

from dataclasses import dataclass
from typing import Final, cast

from django.http import HttpRequest

from gateway.breaker import Breakers
from gateway.bulkhead import Bulkhead
from gateway.limits import Limiter
from gateway.replay import ReplayGuard
from gateway.retry_budget import RetryBudget
from gateway.snapshots import SnapshotStore
from gateway.token_budgets import TokenBudgets

STATE_KEY: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Gateway:
    snapshots: SnapshotStore
    limiter: Limiter
    breakers: Breakers
    bulkhead: Bulkhead
    replay: ReplayGuard
    retries: RetryBudget
    budgets: TokenBudgets


def gateway_of(request: HttpRequest) -> Gateway:
    """The gateway of the process that serves this request, handed on by ASGI's lifespan state."""
    return cast(Gateway, state_of(request, STATE_KEY))


def state_of(request: HttpRequest, key: str) -> object:
    try:
        return request.scope["state"][key]  # type: ignore[attr-defined] # the lean door's requests are ASGI requests
    except KeyError:
        raise RuntimeError("The lifespan has not run. Start the server with `--lifespan on`.") from None
