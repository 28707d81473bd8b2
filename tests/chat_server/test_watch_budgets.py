"""What is used of budgets, when it will be used up, and the notices at 50, 80 and 100 %."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from audit.models import AuditEvent
from chat_server.budget_usage import Spent, budgets_of_tenant, chat_trials, spent_of
from chat_server.models import BudgetNotice, BudgetUsage, ChatRun
from chat_server.run_usage import RunUsage
from chat_server.tasks import look_at_budgets, prune_runs
from chat_server.watch_budgets import watch_budgets
from gateway.budgets import Budget, Measure
from gateway.quotas import Period
from tenants.limit_names import LimitName
from tenants.models import TenantState
from tests.chat_server.runs import a_run
from tests.dashboards.ledger import a_tenant

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(hours=1)


def notices() -> list[tuple[str, int, int, int]]:
    return list(BudgetNotice.objects.order_by("pk").values_list("name", "threshold", "budget", "used"))


@pytest.mark.parametrize(
    ("runs", "said"), [(4, []), (5, [50]), (7, [50]), (8, [50, 80]), (10, [50, 80, 100]), (12, [50, 80, 100])]
)
def test_each_threshold_of_the_tokens_that_is_reached_is_said_once(runs, said):
    tenant = a_tenant(tokens_per_day=1200)
    for _ in range(runs):
        a_run(tenant, at=EARLIER)

    assert watch_budgets(now=NOW) == len(said)
    assert watch_budgets(now=NOW) == 0

    assert notices() == [("tokens_day", threshold, 1200, 120 * runs) for threshold in said]


def test_a_notice_of_money_is_an_event_of_the_audit():
    tenant = a_tenant(cost_per_month=Decimal("0.01"), log_only_limits=["cost_month"])
    for _ in range(5):
        a_run(tenant, at=NOW - timedelta(days=3))

    watch_budgets(now=NOW)

    event = AuditEvent.objects.get(action="budget:reached")
    assert (event.actor, event.tenant_id, event.subject) == ("system", tenant.pk, "Alder")
    assert event.changes == {
        "budget": "cost_month",
        "starts_on": "2026-11-01",
        "threshold": 50,
        "used": 5000,
        "of": 10_000,
        "measure": "microdollars",
        "on_trial": True,
    }


def test_the_pace_of_the_last_day_says_when_the_month_is_used_up():
    tenant = a_tenant(cost_per_month=Decimal("0.10"))
    for days in (0.2, 0.6, 5):
        a_run(tenant, at=NOW - timedelta(days=days), cost_microdollars=10_000)

    watch_budgets(now=NOW)

    row = BudgetUsage.objects.get()
    assert (row.used, row.budget, row.percent) == (30_000, 100_000, 30)
    # 70,000 are left, at 20,000 a day.
    assert row.runs_out_at == NOW + timedelta(days=3.5)


@pytest.mark.parametrize(
    ("used", "last_day", "runs_out"), [(100, 100, False), (50, 0, False), (50, 1, False), (50, 100, True)]
)
def test_what_is_used_up_or_lasts_beyond_the_period_has_no_date(used, last_day, runs_out):
    budget = Budget.of(uuid.UUID(int=1), Measure.COST, Period.MONTH, 100, at=NOW, reason="cost_month")

    assert (Spent(budget, used, last_day, NOW).runs_out_at is not None) == runs_out


def test_runs_of_yesterday_and_of_others_do_not_count_today():
    tenant, other = a_tenant(tokens_per_day=1000), a_tenant("Birch", tokens_per_day=1000)
    a_run(tenant, at=NOW - timedelta(days=1))
    a_run(tenant, at=EARLIER)
    a_run(other, at=EARLIER, input_tokens=700)

    assert {spent.budget.tenant_id: spent.used for spent in spent_of([tenant, other], at=NOW)} == {
        tenant.pk: 120,
        other.pk: 720,
    }


def test_a_counter_is_made_of_the_same_runs_that_the_console_sums_up():
    tenant = a_tenant(tokens_per_day=1000, cost_per_month=Decimal(1))
    a_run(tenant, at=EARLIER, visitor_ref="a" * 32)
    a_run(tenant, "cut", at=EARLIER, visitor_ref="b" * 32, cost_microdollars=None)
    budgets = list(budgets_of_tenant(tenant, at=NOW))
    of_visitor = Budget.of(
        tenant.pk, Measure.TOKENS, Period.DAY, 9, at=NOW, reason="visitor_tokens_day", visitor_ref="a" * 32
    )

    counted = [RunUsage().used(budget) for budget in budgets]

    assert counted == [spent.used for spent in spent_of([tenant], at=NOW)] == [240, 1000]
    assert RunUsage().used(of_visitor) == 120


def test_what_was_seen_before_rows_were_pruned_still_counts():
    tenant = a_tenant(cost_per_month=Decimal(1))
    [budget] = budgets_of_tenant(tenant, at=NOW)
    BudgetUsage.objects.create(
        tenant=tenant, name="cost_month", starts_on=budget.starts_at.date(), used=7000, budget=1, looked_at=NOW
    )

    assert RunUsage().used(budget) == 7000
    assert [spent.used for spent in spent_of([tenant], at=NOW)] == [7000]


def test_a_dying_tenant_and_one_without_budgets_are_not_looked_at():
    a_tenant(tokens_per_day=1, state=TenantState.DELETING)
    a_tenant("Birch")

    look_at_budgets()

    assert not BudgetUsage.objects.exists()


def test_what_limits_on_trial_would_have_refused_is_counted_by_name():
    tenant = a_tenant()
    a_run(tenant, at=EARLIER, would_refuse="chat_tenant,tokens_day")
    a_run(tenant, at=NOW - timedelta(days=3), would_refuse="chat_tenant")

    found = [(each.limit, each.last_day, each.last_week) for each in chat_trials(tenant_id=tenant.pk, at=NOW)]
    assert found == [(LimitName.CHAT_TENANT, 1, 2), (LimitName.TOKENS_DAY, 1, 1)]


@pytest.mark.django_db(transaction=True)
def test_runs_go_when_their_tenant_no_longer_keeps_them_each_slice_with_its_event():
    tenant = a_tenant(retention_days=30)
    old, young = (a_run(tenant, at=datetime.now(UTC) - timedelta(days=days)) for days in (40, 5))

    prune_runs()

    assert list(ChatRun.objects.values_list("pk", flat=True)) == [young.pk]
    event = AuditEvent.objects.get(action="ledger:pruned")
    assert (event.tenant_id, event.changes["rows"]) == (tenant.pk, 1)
    assert old.pk != young.pk
