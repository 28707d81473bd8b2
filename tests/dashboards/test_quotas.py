"""Who is near its quota, and what limits on trial would have refused: on the operations page and on the tenant's own."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from dashboards.probes import exposition
from dashboards.quotas import near_their_quota, quota_use
from sessions_api.models import QuotaUsage
from sessions_api.watch_quotas import watch_quotas
from tenants.models import TenantState
from tests.dashboards.ledger import a_request, a_tenant

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def used(tenant, used, quota, *, period="day", starts=None):
    starts = starts or (NOW if period == "day" else NOW.replace(day=1)).date()
    return QuotaUsage.objects.create(
        tenant=tenant, period=period, starts_on=starts, used=used, quota=quota, looked_at=NOW
    )


def test_half_of_a_quota_is_near_and_the_nearest_comes_first():
    alder, birch = a_tenant(), a_tenant("birch")
    rows = [used(alder, 50, 100), used(birch, 100, 100), used(alder, 80, 100, period="month")]
    used(birch, 49, 100, period="month")

    assert list(near_their_quota(now=NOW)) == [rows[1], rows[2], rows[0]]
    assert list(near_their_quota(tenant_id=alder.pk, now=NOW)) == [rows[2], rows[0]]


def test_past_periods_quotas_taken_away_and_dying_tenants_are_near_nothing():
    used(a_tenant(), 100, 100, starts=(NOW - timedelta(days=1)).date())
    used(a_tenant("birch"), 100, None)
    used(a_tenant("cedar", state=TenantState.DELETING), 100, 100)

    assert list(near_their_quota(now=NOW)) == []


def test_the_metrics_say_how_near_the_nearest_is_and_name_no_tenant():
    today = datetime.now(UTC).date()
    for tenant, amount in ((a_tenant(), 29), (a_tenant("birch"), 58), (a_tenant("cedar"), 100)):
        used(tenant, amount, 100, starts=today)
    used(a_tenant("dogwood"), 900, None, starts=today)
    used(a_tenant("elm"), 900, 100, starts=today - timedelta(days=1))
    used(a_tenant("fir", state=TenantState.DELETING), 900, 100, starts=today)

    said = [line for line in exposition().decode().splitlines() if "quota" in line and not line.startswith("#")]

    assert said == [
        'chatkit_quota_used_ratio_max{period="day"} 1.0',
        'chatkit_quota_used_ratio_max{period="month"} 0.0',
        'chatkit_tenants_by_quota_used{percent="50",period="day"} 2.0',
        'chatkit_tenants_by_quota_used{percent="80",period="day"} 1.0',
        'chatkit_tenants_by_quota_used{percent="100",period="day"} 1.0',
        'chatkit_tenants_by_quota_used{percent="50",period="month"} 0.0',
        'chatkit_tenants_by_quota_used{percent="80",period="month"} 0.0',
        'chatkit_tenants_by_quota_used{percent="100",period="month"} 0.0',
    ]


def test_a_share_is_counted_exactly_at_its_threshold():
    for number, amount in enumerate((28, 29, 57, 58)):
        used(a_tenant(f"t{number}"), amount, 58)

    day, month = quota_use(now=NOW)

    assert (day.highest, dict(day.tenants)) == (1.0, {50: 3, 80: 2, 100: 1})
    assert (month.highest, dict(month.tenants)) == (0.0, {50: 0, 80: 0, 100: 0})


def test_the_operations_page_names_both(admin_client: Client):
    now = datetime.now(UTC)
    tenant = a_tenant(sessions_per_month=2, log_only_limits=["visitor_limit"])
    a_request(now, tenant=tenant)
    a_request(now, tenant=tenant, would_refuse="visitor_limit")
    watch_quotas(now=now)

    page = admin_client.get("/admin/operations/").content.decode()

    assert 'value="2">100 %</meter> <span class="nowrap">2 of 2</span>' in page
    assert '<span class="badge tone-bad">used up</span>' in page
    assert "<td>sessions per minute, one visitor</td><td>1</td><td>1</td>" in page
    assert f"/admin/tenants/tenant/{tenant.pk}/change/#limits" in page


def test_the_operations_page_says_when_there_is_nothing(admin_client: Client):
    page = admin_client.get("/admin/operations/").content.decode()

    assert "Nobody has used half of a quota." in page
    assert "No limit on trial would have refused anybody" in page


def test_the_tenants_page_shows_its_quotas_and_its_trials(admin_client: Client):
    now = datetime.now(UTC)
    tenant = a_tenant(sessions_per_day=40, sessions_per_month=2, log_only_limits=["visitor_limit", "quota_month"])
    a_request(now, tenant=tenant)
    a_request(now, tenant=tenant, would_refuse="visitor_limit")
    watch_quotas(now=now)

    page = admin_client.get(f"/admin/tenants/tenant/{tenant.pk}/change/").content.decode()
    panel = page.split('id="limits-title"')[1].split("</section>")[0]

    assert "2 of 40 (5 %)" in panel
    assert "2 of 2 (100 %)" in panel
    assert 'per month <span class="badge tone-info">on trial</span>' in panel
    assert "600 for the tenant, 10 for a visitor, 120 for an address; 300 new visitors" in panel
    assert '<th scope="row">sessions per minute, one visitor</th><td>1 in 24 hours</td><td>1 in 7 days</td>' in panel
    assert '<th scope="row">monthly quota</th><td>0 in 24 hours</td><td>0 in 7 days</td>' in panel
    assert "100 % of 2 per month (2 used)" in panel


def test_a_tenant_without_a_quota_has_a_panel_that_says_so(admin_client: Client):
    page = admin_client.get(f"/admin/tenants/tenant/{a_tenant().pk}/change/").content.decode()

    assert "No quota." in page
    assert "Limit on trial" not in page
