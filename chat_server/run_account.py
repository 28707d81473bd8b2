"""One run of a model, from its admission to its row in the ledger of runs."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from chat_server.models import ChatRun
from chat_server.prices import Price, cost
from chat_server.run_limits import tokens_in
from gateway.budgets import Measure, Reservation
from gateway.fresh_ids import fresh_uuid
from gateway.token_budgets import TokenBudgets
from sessions_api.writer import GroupedWriter, WriteFailed

logger = logging.getLogger(__name__)

ANSWERED: Final = "answered"
CUT: Final = "cut"
WRITE_SECONDS: Final = 5.0
# Settling goes on when the visitor's request is cancelled; a task that nobody holds might be collected.
_settling: set["asyncio.Task[None]"] = set()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of a run before it begins; `input_estimate` in tokens."""

    at: datetime
    started: float
    tenant_id: uuid.UUID
    assistant_slug: str
    agent_version: int | None
    visitor_ref: str
    origin: str
    operation: str
    request_id: str
    model: str
    input_estimate: int = 0
    would_refuse: str = ""

    def row(self, *, outcome: str, reason: str = "", **values: Any) -> ChatRun:
        return ChatRun(
            id=fresh_uuid(),
            at=self.at,
            tenant_id=self.tenant_id,
            assistant_slug=self.assistant_slug,
            agent_version=self.agent_version,
            visitor_ref=self.visitor_ref,
            origin=self.origin,
            operation=self.operation,
            request_id=self.request_id,
            would_refuse=self.would_refuse,
            outcome=outcome[:32],
            reason=reason[:40],
            latency_ms=round((time.monotonic() - self.started) * 1000),
            **{"model": self.model, **values},
        )


@dataclass(slots=True)
class RunAccount:
    """Filled in while the model answers; `settle` once, whatever became of it. Every method runs on the event loop.

    Where OpenAI told no usage of the turn that was cut, its tokens are estimated: the text that was streamed since, and for
    the input what `asked` said of it, that of the turn before, or what was reserved. Such rows are marked. A run that failed
    before any text is not estimated: OpenAI charges nothing for a refusal.
    """

    facts: RunFacts
    budgets: TokenBudgets
    reservation: Reservation
    writer: GroupedWriter
    # By the run's day: a price that is changed meanwhile leaves this run alone.
    price: Price | None = None
    key_id: uuid.UUID | None = None
    model: str = ""
    first_ms: int | None = None
    turns: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    upstream_request_id: str = ""
    has_begun: bool = False
    is_settled: bool = False
    _asked: int = field(default=0)
    _last_input: int = field(default=0)
    _chars: int = field(default=0)

    def began(self, *, key_id: uuid.UUID, model: str) -> None:
        """The model is being asked, with this key; again where another key takes over."""
        self.key_id, self.model, self.has_begun = key_id, model, True

    def asked(self, tokens: int) -> None:
        """A turn begins, whose input has about so many tokens: the whole conversation with its files, not the message alone."""
        self._asked = max(tokens, self.facts.input_estimate)

    def first_words(self) -> None:
        if self.first_ms is None:
            self.first_ms = round((time.monotonic() - self.facts.started) * 1000)

    def wrote(self, chars: int) -> None:
        """So many characters were streamed, since the last call."""
        self._chars += chars

    def used(
        self,
        *,
        input_tokens: int,
        cached_tokens: int,
        output_tokens: int,
        turns: int = 1,
        upstream_request_id: str = "",
    ) -> None:
        """What OpenAI told of one turn, or of several together."""
        self.input_tokens += input_tokens
        self.cached_tokens += cached_tokens
        self.output_tokens += output_tokens
        self.turns += turns
        self.upstream_request_id = upstream_request_id or self.upstream_request_id
        self._last_input = input_tokens
        self._asked = self._chars = 0

    async def settle(self, outcome: str, reason: str = "") -> None:
        """Once; later calls do nothing. Ends even when the caller is cancelled. Raises nothing."""
        if self.is_settled:
            return
        self.is_settled = True
        task = asyncio.create_task(self._settle(self._row(outcome, reason)))
        _settling.add(task)
        task.add_done_callback(_settling.discard)
        await asyncio.shield(task)

    def _row(self, outcome: str, reason: str) -> ChatRun:
        is_unanswered = self._asked > 0 or (self.has_begun and not self.turns)
        is_estimated = self._chars > 0 or (outcome == CUT and is_unanswered)
        if is_estimated:
            self.input_tokens += self._asked or self._last_input or self.facts.input_estimate
            self.output_tokens += tokens_in(self._chars)
            self.turns += 1
        return self.facts.row(
            outcome=outcome,
            reason=reason,
            key_id=self.key_id,
            model=self.model or self.facts.model,
            turns=self.turns,
            input_tokens=self.input_tokens,
            cached_tokens=min(self.cached_tokens, self.input_tokens),
            output_tokens=self.output_tokens,
            is_estimated=is_estimated,
            cost_microdollars=self._cost(),
            first_ms=self.first_ms,
            upstream_request_id=self.upstream_request_id[:128],
        )

    def _cost(self) -> int | None:
        if self.price is None:
            return None
        return cost(
            self.price,
            input_tokens=self.input_tokens,
            cached_tokens=self.cached_tokens,
            output_tokens=self.output_tokens,
        )

    async def _settle(self, row: ChatRun) -> None:
        actual = {
            Measure.TOKENS: row.input_tokens + row.output_tokens,
            Measure.COST: row.cost_microdollars or 0,
        }
        # In this order: see gateway/token_budgets.py.
        await self.budgets.settle(self.reservation, actual)
        await write_run(self.writer, row)


async def write_run(writer: GroupedWriter, row: ChatRun, *, is_essential: bool = True) -> None:
    """In the ledger or in the spool; where neither takes it, it is in the log, without whose it is."""
    try:
        await writer.write(row, seconds=WRITE_SECONDS, is_essential=is_essential)
    except WriteFailed as failure:
        logger.error(
            "A run of %d and %d tokens (%s) was not recorded: %s",
            row.input_tokens,
            row.output_tokens,
            row.outcome,
            failure,
        )


async def finish_settling(*, seconds: float) -> None:
    """Wait for accounts that are being settled, before the writer closes."""
    if _settling:
        await asyncio.wait(set(_settling), timeout=seconds)
