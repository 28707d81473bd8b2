"""Runs, tokens and cost: on the tenant's page, the operations page, in lists, to machines and to Prometheus."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import SYSTEM
from chat_server.run_account import ANSWERED
from chat_server.watch_budgets import watch_budgets
from dashboards.chat_metrics import count_open_streams
from dashboards.probes import exposition
from gateway.models import OpsScope
from gateway.ops_tokens import issue_ops_token
from tenants.models import Tenant
from tests.chat_server.metered import give_price
from tests.chat_server.runs import a_run
from tests.dashboards.ledger import a_tenant
from tests.tenants.cast import register
from tests.tenants.forms import posted

pytestmark = pytest.mark.django_db
RUNS = "/admin/chat_server/chatrun/"


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def tenant_page(client: Client, tenant: Tenant) -> str:
    return page(client, f"/admin/tenants/tenant/{tenant.pk}/change/")


def test_the_tenants_page_sums_up_what_its_chats_took(admin_client: Client) -> None:
    tenant = register(tokens_per_day=1000, cost_per_month=Decimal(5), log_only_limits=["tokens_day"])
    a_run(tenant)
    a_run(tenant, "cut", is_estimated=True, cost_microdollars=None)

    shown = tenant_page(admin_client, tenant)

    assert "<td>2</td><td>200</td><td>80</td><td>40</td><td>$0.0010 " in shown
    assert "and 1 runs without a price" in shown
    assert "240 tokens of 1,000 tokens (24 %)" in shown
    assert "on trial" in shown
    assert f'href="{RUNS}?tenant={tenant.pk}"' in shown


def test_a_tenant_without_such_chats_has_no_such_panel(admin_client: Client) -> None:
    assert 'id="chat-usage"' not in tenant_page(admin_client, register())


def test_the_limits_are_fields_of_the_tenants_page_with_the_sites_default_in_view(admin_client: Client) -> None:
    tenant = register()
    shown = tenant_page(admin_client, tenant)

    for name in (
        "messages_per_minute",
        "tokens_per_day",
        "cost_per_month",
        "limit_text",
        "conversation_retention_days",
    ):
        assert f'name="{name}"' in shown
    assert 'placeholder="120"' in shown
    assert 'placeholder="none"' in shown


def test_a_changed_budget_is_audited_with_its_value(admin_client: Client) -> None:
    tenant = register()
    posted(
        admin_client,
        f"/admin/tenants/tenant/{tenant.pk}/change/",
        tokens_per_day="5000",
        cost_per_month="12.50",
        limit_text="Tomorrow again.",
    )

    tenant.refresh_from_db()
    assert (tenant.tokens_per_day, tenant.cost_per_month, tenant.limit_text) == (
        5000,
        Decimal("12.50"),
        "Tomorrow again.",
    )
    values = AuditEvent.objects.get(action="tenant:changed").changes["values"]
    assert values["tokens_per_day"] == {"old": None, "new": 5000}


def test_the_operations_page_shows_runs_errors_and_who_used_most(admin_client: Client) -> None:
    small, large = a_tenant(), a_tenant("Birch")
    a_run(small)
    a_run(large, input_tokens=9000, first_ms=1500)
    a_run(
        small,
        "rate_limited",
        reason="chat_visitor",
        turns=0,
        input_tokens=0,
        output_tokens=0,
        first_ms=None,
        cost_microdollars=None,
    )
    a_run(small, at=timezone.now() - timedelta(hours=30))

    shown = page(admin_client, "/admin/operations/?range=24h")

    assert "half within 1500 ms, 95 of 100 within 1500 ms" in shown
    assert "<code>rate_limited</code></td><td>chat_visitor</td><td>1</td>" in shown
    assert shown.index("9020</td>") < shown.index("120</td><td>$0.0010")


def test_without_such_chats_the_operations_page_is_silent_about_them(admin_client: Client) -> None:
    a_tenant()

    assert "Chats that the platform serves" not in page(admin_client, "/admin/operations/")


def test_a_run_is_found_by_its_request_id_and_by_filters(admin_client: Client) -> None:
    tenant = a_tenant()
    give_price("gpt-other")
    answered = a_run(tenant)
    failed = a_run(tenant, "upstream_throttled", is_estimated=True)

    assert f"{RUNS}{answered.pk}/change/" in page(admin_client, f"{RUNS}?q={answered.request_id}")
    assert f"{RUNS}{failed.pk}/change/" not in page(admin_client, f"{RUNS}?q={answered.request_id}")
    assert f"{RUNS}{failed.pk}/change/" in page(admin_client, f"{RUNS}?outcome=failed")
    assert f"{RUNS}{answered.pk}/change/" not in page(admin_client, f"{RUNS}?outcome=failed")
    assert f"{RUNS}{failed.pk}/change/" not in page(admin_client, f"{RUNS}?model=gpt-other")
    shown = page(admin_client, f"{RUNS}{failed.pk}/change/")
    assert "estimated" in shown
    assert 'name="_save"' not in shown


@pytest.mark.parametrize("outcome", ["answered", "cut", "rate_limited", "too_many_turns", "tenant_misconfigured"])
def test_each_run_has_a_page_whatever_became_of_it(admin_client: Client, outcome: str) -> None:
    run = a_run(None, outcome, agent_version=None, first_ms=None, cost_microdollars=None)

    assert "no price" in page(admin_client, f"{RUNS}{run.pk}/change/")


def test_a_machine_reads_the_same_figures(client: Client) -> None:
    a_run(a_tenant())
    a_run(None, "busy", reason="bulkhead", turns=0, input_tokens=0, cached_tokens=0, output_tokens=0, first_ms=None)
    _, text = issue_ops_token(label="grafana", scopes=[OpsScope.SESSIONS_READ], actor=SYSTEM)

    told = client.get("/api/v1/ops/usage/?range=1h", headers={"Authorization": f"Bearer {text}"}).json()

    assert told["totals"] | {"cost_microdollars": 0} == {
        "runs": 2,
        ANSWERED: 1,
        "cut": 0,
        "estimated": 0,
        "input_tokens": 100,
        "cached_tokens": 40,
        "output_tokens": 20,
        "cost_microdollars": 0,
        "unpriced": 0,
    }
    assert told["totals"]["cost_microdollars"] == 2000
    assert told["first_words"] == {"p50": 300, "p95": 300, "counted": 1}
    assert told["failures"] == [{"outcome": "busy", "reason": "bulkhead", "count": 1}]
    assert [(each["tenant"], each["tokens"]) for each in told["top"]] == [("alder", 120), ("", 0)]


def test_prometheus_gets_runs_tokens_cost_first_words_and_budgets_without_any_tenant() -> None:
    tenant = a_tenant(tokens_per_day=480)
    a_run(tenant, first_ms=700)
    a_run(tenant, "made_up_by_nobody", first_ms=None)
    watch_budgets()
    count_open_streams(lambda: 7)
    try:
        text = exposition().decode()
    finally:
        count_open_streams(None)

    assert 'chatkit_runs_last_hour{outcome="answered"} 1.0' in text
    assert 'chatkit_runs_last_hour{outcome="other"} 1.0' in text
    assert 'chatkit_tokens_last_hour{kind="cached"} 80.0' in text
    assert "chatkit_cost_last_hour_dollars 0.002" in text
    assert 'chatkit_first_words_last_hour_seconds_bucket{le="0.5"} 0.0' in text
    assert 'chatkit_first_words_last_hour_seconds_bucket{le="1"} 1.0' in text
    assert 'chatkit_budget_used_ratio{budget="tokens_day"} 0.5' in text
    assert "chatkit_open_streams 7.0" in text
    assert "alder" not in text.lower()
    assert "chatkit_open_streams" not in exposition().decode()
