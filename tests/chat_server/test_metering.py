"""A message is let in or told which limit it meets; its run is reserved before, settled after, and one row in the ledger."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.db import DatabaseError, connection, transaction

from chat_server.metering import REFUSALS_PER_MINUTE, RunAccount, finish_settling
from chat_server.models import ChatRun
from chat_server.prices import PRICES
from gateway.errors import Code, PublicError
from sessions_api.spool_lines import read_line, to_line
from tests.chat_server.metered import MODEL, Metered, an_agent, give_price, metered
from tests.tenants.cast import register

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asyncio]

KEY = uuid.uuid4()


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Metered]:
    PRICES.forget()
    async with metered() as opened:
        yield opened
    PRICES.forget()


async def in_database(work: Any) -> Any:
    def then_close() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(then_close)


async def a_tenant(**fields: Any) -> Any:
    return await in_database(lambda: register("Cedar", **fields))


async def rows() -> list[ChatRun]:
    return list(await in_database(lambda: list(ChatRun.objects.order_by("at"))))


async def answered(account: RunAccount, *, tokens: tuple[int, int, int] = (90, 30, 10)) -> None:
    account.began(key_id=KEY, model=MODEL)
    account.first_words()
    account.wrote(40)
    account.used(input_tokens=tokens[0], cached_tokens=tokens[1], output_tokens=tokens[2], upstream_request_id="req_up")
    await account.settle("answered")


async def refusal(desk: Metered, tenant: Any, **more: Any) -> PublicError:
    with pytest.raises(PublicError) as caught:
        await desk.admit(tenant, **more)
    return caught.value


async def test_an_answered_run_is_one_row_with_what_it_took_and_cost(desk: Metered) -> None:
    await in_database(give_price)
    tenant = await a_tenant()
    account = await desk.admit(tenant, request_id="req_1", operation="threads.add_user_message")

    await answered(account)

    [row] = await rows()
    assert (row.tenant_id, row.assistant_slug, row.agent_version, row.key_id) == (tenant.pk, "help", 3, KEY)
    assert (row.visitor_ref, row.origin, row.request_id) == ("v1", "https://shop.example", "req_1")
    assert (row.operation, row.outcome, row.model, row.turns) == ("threads.add_user_message", "answered", MODEL, 1)
    assert (row.input_tokens, row.cached_tokens, row.output_tokens, row.is_estimated) == (90, 30, 10, False)
    # 60 at 2, 30 at 0.50 and 10 at 8 dollars for a million.
    assert row.cost_microdollars == 120 + 15 + 80
    assert row.first_ms is not None
    assert row.first_ms <= row.latency_ms
    assert row.upstream_request_id == "req_up"


async def test_a_run_of_a_model_without_a_price_has_no_cost(desk: Metered) -> None:
    await answered(await desk.admit(await a_tenant()))

    assert [row.cost_microdollars for row in await rows()] == [None]


async def test_several_turns_are_added_up_and_a_second_settling_does_nothing(desk: Metered) -> None:
    account = await desk.admit(await a_tenant())
    account.used(input_tokens=10, cached_tokens=0, output_tokens=5)
    account.used(input_tokens=20, cached_tokens=8, output_tokens=6)
    await account.settle("answered")
    await account.settle("cut")

    [row] = await rows()
    assert (row.turns, row.input_tokens, row.cached_tokens, row.output_tokens) == (2, 30, 8, 11)
    assert row.outcome == "answered"


async def test_a_cut_run_is_estimated_from_the_text_and_marked_so(desk: Metered) -> None:
    account = await desk.admit(await a_tenant(), input_chars=300, agent=an_agent(instructions="x" * 60))
    account.began(key_id=KEY, model=MODEL)
    account.wrote(31)
    await account.settle("cut")

    [row] = await rows()
    assert (row.outcome, row.is_estimated, row.turns) == ("cut", True, 1)
    assert (row.input_tokens, row.output_tokens) == (120, 11)


async def test_a_run_that_is_cut_in_its_second_turn_counts_the_first_as_told(desk: Metered) -> None:
    account = await desk.admit(await a_tenant())
    account.began(key_id=KEY, model=MODEL)
    account.wrote(30)
    account.used(input_tokens=500, cached_tokens=0, output_tokens=12)
    account.wrote(9)
    await account.settle("cut")

    [row] = await rows()
    assert (row.input_tokens, row.output_tokens, row.turns, row.is_estimated) == (1000, 15, 2, True)


async def test_a_cut_turn_is_charged_with_the_conversation_that_it_was_asked_with(desk: Metered) -> None:
    account = await desk.admit(await a_tenant(), input_chars=30)
    account.began(key_id=KEY, model=MODEL)
    account.asked(20_000)
    account.used(input_tokens=18_000, cached_tokens=0, output_tokens=5)
    account.asked(21_000)
    await account.settle("cut")

    [row] = await rows()
    assert (row.input_tokens, row.output_tokens, row.turns, row.is_estimated) == (39_000, 5, 2, True)


async def test_a_run_that_the_model_refused_at_once_takes_nothing(desk: Metered) -> None:
    account = await desk.admit(await a_tenant())
    account.began(key_id=KEY, model=MODEL)
    account.asked(20_000)
    await account.settle("tenant_misconfigured", "invalid_key")

    [row] = await rows()
    assert (row.outcome, row.reason) == ("tenant_misconfigured", "invalid_key")
    assert (row.input_tokens, row.output_tokens, row.is_estimated) == (0, 0, False)


async def test_messages_a_minute_are_limited_for_a_visitor_in_the_tenants_own_words(desk: Metered) -> None:
    tenant = await a_tenant(messages_per_minute_per_visitor=2, limit_text="Slowly, please.")
    for _ in range(2):
        await desk.admit(tenant)

    refused = await refusal(desk, tenant)

    assert (refused.code, refused.reason, refused.status) == (Code.RATE_LIMITED, "chat_visitor", 429)
    assert refused.words == "Slowly, please."
    assert refused.retry_after is not None
    assert 20 <= refused.retry_after <= 30
    # Somebody else is not meant.
    await desk.admit(tenant, visitor="v2")
    assert [(row.outcome, row.reason) for row in await rows()] == [("rate_limited", "chat_visitor")]


async def test_messages_a_minute_are_limited_for_the_tenant_as_a_whole(desk: Metered) -> None:
    tenant = await a_tenant(messages_per_minute=2)
    for visitor in ("v1", "v2"):
        await desk.admit(tenant, visitor=visitor)

    assert (await refusal(desk, tenant, visitor="v3")).reason == "chat_tenant"


async def test_of_many_refusals_the_first_leave_rows(desk: Metered) -> None:
    tenant = await a_tenant(messages_per_minute=1)
    await desk.admit(tenant)

    for _ in range(REFUSALS_PER_MINUTE + 5):
        await refusal(desk, tenant)

    assert REFUSALS_PER_MINUTE <= len(await rows()) <= 2 * REFUSALS_PER_MINUTE


async def test_tokens_are_reserved_while_a_run_is_in_work_and_given_back_after_it(desk: Metered) -> None:
    # One run reserves 100 + 400 tokens.
    tenant = await a_tenant(tokens_per_day=500)
    account = await desk.admit(tenant)
    refused = await refusal(desk, tenant, visitor="v2")
    assert (refused.code, refused.reason, refused.retry_after) == (Code.QUOTA_EXCEEDED, "tokens_day", 10)

    await answered(account, tokens=(90, 0, 10))

    again = await desk.admit(tenant, visitor="v2")
    await answered(again, tokens=(390, 0, 10))
    used_up = await refusal(desk, tenant)
    assert used_up.reason == "tokens_day"
    assert used_up.retry_after is not None
    assert used_up.retry_after > 10 or datetime.now(UTC).hour == 23


async def test_a_visitor_has_a_budget_of_its_own(desk: Metered) -> None:
    tenant = await a_tenant(tokens_per_day_per_visitor=50, limit_text="Tomorrow again.")
    await answered(await desk.admit(tenant))

    refused = await refusal(desk, tenant)
    await desk.admit(tenant, visitor="v2")

    assert (refused.reason, refused.words) == ("visitor_tokens_day", "Tomorrow again.")


async def test_money_is_a_budget_of_the_month_by_the_price_of_the_day(desk: Metered) -> None:
    await in_database(lambda: give_price(dollars=("1000", "1000", "1000")))
    tenant = await a_tenant(cost_per_month=Decimal("0.10"))
    await answered(await desk.admit(tenant), tokens=(90, 0, 10))

    assert [row.cost_microdollars for row in await rows()] == [100_000]
    assert (await refusal(desk, tenant)).reason == "cost_month"


async def test_a_limit_on_trial_refuses_nobody_and_is_noted(desk: Metered) -> None:
    tenant = await a_tenant(messages_per_minute=1, tokens_per_day=1, log_only_limits=["chat_tenant", "tokens_day"])
    for _ in range(2):
        await answered(await desk.admit(tenant))

    assert [row.would_refuse for row in await rows()] == ["", "chat_tenant,tokens_day"]


async def test_budgets_are_rebuilt_from_the_ledger_by_whoever_starts_anew(desk: Metered) -> None:
    tenant = await a_tenant(tokens_per_day=100)
    await answered(await desk.admit(tenant), tokens=(90, 0, 10))
    redis = desk.gateway.budgets._redis
    if redis is not None:
        await redis.flushdb()

    async with metered() as newcomer:
        assert (await refusal(newcomer, tenant)).reason == "tokens_day"


async def test_a_visitor_who_leaves_while_its_run_is_settled_is_recorded_all_the_same(desk: Metered) -> None:
    account = await desk.admit(await a_tenant())
    task = asyncio.create_task(account.settle("cut"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await finish_settling(seconds=5)

    assert [row.outcome for row in await rows()] == ["cut"]


async def test_a_run_survives_in_the_spool(desk: Metered, tmp_path: Path) -> None:
    tenant = await a_tenant()
    row = (await desk.admit(tenant)).facts.row(outcome="answered", cost_microdollars=7, key_id=KEY)

    [back] = read_line(to_line([row])).rows

    assert isinstance(back, ChatRun)
    assert {f.attname: getattr(back, f.attname) for f in row._meta.concrete_fields} == {
        f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields
    }


async def test_nothing_is_run_that_could_not_be_recorded(desk: Metered) -> None:
    tenant = await a_tenant()
    desk.writer._is_answering = lambda: False

    refused = await refusal(desk, tenant)

    assert (refused.code, refused.reason) == (Code.PLATFORM_UNAVAILABLE, "database_silent")


@pytest.mark.parametrize("change", ["UPDATE chat_server_chatrun SET turns = 7", "DELETE FROM chat_server_chatrun"])
async def test_the_ledger_of_runs_only_grows(desk: Metered, change: str) -> None:
    await answered(await desk.admit(await a_tenant()))

    def try_it() -> None:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)

    await in_database(try_it)
