"""What is used of quotas, when it will be used up, and the notices at 50, 80 and 100 %."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from audit.models import AuditEvent
from gateway.quotas import Period, Quota
from sessions_api.models import QuotaNotice, QuotaUsage, SessionRequest
from sessions_api.tasks import look_at_quotas
from sessions_api.usage import LedgerUsage, Usage, trials, usage_of
from sessions_api.watch_quotas import watch_quotas
from tenants.limit_names import LimitName
from tenants.models import Tenant, TenantState
from tests.dashboards.ledger import a_tenant

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY, NOVEMBER = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def sessions(tenant: Tenant, count: int, *, at: datetime = NOW - timedelta(hours=1), **fields) -> None:
    outcome = fields.pop("outcome", "granted")
    SessionRequest.objects.bulk_create(
        SessionRequest(id=uuid.uuid4(), at=at, tenant=tenant, outcome=outcome, **fields) for _ in range(count)
    )


def notices() -> list[tuple[str, int, int, int]]:
    return list(QuotaNotice.objects.order_by("pk").values_list("period", "threshold", "quota", "used"))


def usage(used: int, most: int, last_day: int, period: Period = Period.MONTH) -> Usage:
    return Usage(Quota.of(uuid.UUID(int=1), period, most, at=NOW), used, last_day, NOW)


@pytest.mark.parametrize(
    ("used", "said"),
    [(4, []), (5, [50]), (7, [50]), (8, [50, 80]), (9, [50, 80]), (10, [50, 80, 100]), (12, [50, 80, 100])],
)
def test_each_threshold_that_is_reached_is_said(used, said):
    sessions(a_tenant(sessions_per_day=10), used)

    assert watch_quotas(now=NOW) == len(said)

    assert notices() == [("day", threshold, 10, used) for threshold in said]


def test_a_notice_is_an_event_of_the_audit():
    tenant = a_tenant(sessions_per_month=2, log_only_limits=["quota_month"])
    sessions(tenant, 1)

    watch_quotas(now=NOW)

    event = AuditEvent.objects.get(action="quota:reached")
    assert (event.actor, event.tenant_id, event.subject) == ("system", tenant.pk, "Alder")
    assert event.changes == {
        "period": "month",
        "starts_on": "2026-11-01",
        "threshold": 50,
        "used": 1,
        "quota": 2,
        "on_trial": True,
    }


def test_it_is_said_once_for_each_period_and_size_of_the_quota():
    tenant = a_tenant(sessions_per_day=10)
    sessions(tenant, 8)
    assert (watch_quotas(now=NOW), watch_quotas(now=NOW)) == (2, 0)

    tenant.sessions_per_day = 16
    tenant.save()
    assert watch_quotas(now=NOW) == 1
    sessions(tenant, 8, at=NOW + timedelta(days=1))
    assert watch_quotas(now=NOW + timedelta(days=1)) == 1

    assert [(threshold, quota) for _, threshold, quota, _ in notices()] == [(50, 10), (80, 10), (50, 16), (50, 16)]
    assert AuditEvent.objects.filter(action="quota:reached").count() == 4


def test_only_granted_sessions_of_the_tenant_and_the_period_count():
    tenant, other = a_tenant(sessions_per_day=10, sessions_per_month=10), a_tenant("birch", sessions_per_day=10)
    sessions(tenant, 1, at=TODAY)
    sessions(tenant, 2, at=TODAY - timedelta(microseconds=1))
    sessions(tenant, 3, at=NOVEMBER)
    sessions(tenant, 9, at=NOVEMBER - timedelta(microseconds=1))
    sessions(tenant, 9, outcome="rate_limited")
    sessions(other, 9)

    found = {each.quota.period: each for each in usage_of([tenant], at=NOW)}

    assert (found[Period.DAY].used, found[Period.MONTH].used) == (1, 6)
    assert found[Period.DAY].last_day == found[Period.MONTH].last_day == 3
    for each in found.values():
        assert LedgerUsage().used(each.quota) == each.used


def test_the_pace_of_the_last_24_hours_is_seen_on_the_first_of_the_month_too():
    tenant = a_tenant(sessions_per_month=100)
    first = datetime(2026, 12, 1, 1, tzinfo=UTC)
    sessions(tenant, 10, at=first - timedelta(hours=23))
    sessions(tenant, 7, at=first - timedelta(hours=24, microseconds=1))

    [found] = usage_of([tenant], at=first)

    assert (found.used, found.last_day) == (0, 10)


def test_a_counter_is_made_from_no_more_entries_than_the_quota_has():
    tenant = a_tenant(sessions_per_day=3)
    sessions(tenant, 9)

    assert LedgerUsage().used(Quota.of(tenant.pk, Period.DAY, 3, at=NOW)) == 3


def test_rows_that_are_deleted_when_their_time_is_over_stay_counted():
    tenant = a_tenant(sessions_per_month=100)
    watch_quotas(now=NOW)
    QuotaUsage.objects.update(used=60)
    sessions(tenant, 5)

    watch_quotas(now=NOW)

    assert QuotaUsage.objects.get().used == 60
    assert usage_of([tenant], at=NOW)[0].used == 60
    assert LedgerUsage().used(Quota.of(tenant.pk, Period.MONTH, 100, at=NOW)) == 60
    assert LedgerUsage().used(Quota.of(tenant.pk, Period.DAY, 100, at=NOW)) == 5
    assert notices() == [("month", 50, 100, 60)]


@pytest.mark.parametrize(
    ("used", "most", "last_day", "at"),
    [
        (50, 100, 10, datetime(2026, 11, 29, 12, tzinfo=UTC)),
        (50, 100, 100, datetime(2026, 11, 25, 0, tzinfo=UTC)),
        (50, 100, 1, None),
        (50, 100, 0, None),
        (100, 100, 10, None),
        (0, 2**31, 1, None),
    ],
)
def test_when_it_will_be_used_up_at_the_pace_of_the_last_24_hours(used, most, last_day, at):
    assert usage(used, most, last_day).runs_out_at == at


def test_it_is_not_used_up_at_the_very_end_of_the_period():
    end = datetime(2026, 12, 1, tzinfo=UTC)
    days = (end - NOW) / timedelta(days=1)

    assert usage(0, 65, 10).runs_out_at is None
    assert days == 65 / 10
    assert usage(0, 64, 10).runs_out_at is not None


@pytest.mark.parametrize(
    ("used", "percent", "is_used_up"), [(0, 0, False), (199, 99, False), (200, 100, True), (201, 100, True)]
)
def test_a_share_is_rounded_down_so_that_all_means_all(used, percent, is_used_up):
    found = usage(used, 200, 0)

    assert (found.percent, found.is_used_up) == (percent, is_used_up)


def test_the_last_look_is_kept_and_goes_with_its_time():
    tenant = a_tenant(sessions_per_day=10, sessions_per_month=20)
    sessions(tenant, 5)
    watch_quotas(now=NOW)
    kept = {row.period: row for row in QuotaUsage.objects.all()}

    assert (kept["day"].used, kept["day"].quota, kept["day"].starts_on) == (5, 10, TODAY.date())
    assert (kept["month"].used, kept["month"].quota, kept["month"].starts_on) == (5, 20, NOVEMBER.date())
    assert (kept["day"].percent, kept["month"].percent) == (50, 25)
    assert kept["day"].runs_out_at is None

    tenant.sessions_per_day = tenant.sessions_per_month = None
    tenant.save()
    watch_quotas(now=NOW + timedelta(minutes=10))
    assert set(QuotaUsage.objects.values_list("quota", flat=True)) == {10, 20}
    watch_quotas(now=NOW + timedelta(minutes=20))
    assert set(QuotaUsage.objects.values_list("quota", flat=True)) == {None}
    watch_quotas(now=NOW + timedelta(days=71))
    assert QuotaUsage.objects.filter(period="day").count() == 0


def test_the_sites_default_is_a_quota_of_every_tenant_without_its_own(settings):
    sessions(a_tenant(), 5)
    sessions(a_tenant("birch", sessions_per_day=100), 5)
    assert watch_quotas(now=NOW) == 0
    settings.SESSIONS_PER_DAY_TENANT = 10

    assert watch_quotas(now=NOW) == 1


def test_a_tenant_that_is_being_deleted_is_told_nothing():
    sessions(a_tenant(sessions_per_day=1, state=TenantState.DELETING), 5)

    assert watch_quotas(now=NOW) == 0


def test_the_number_of_queries_does_not_grow_with_the_tenants(django_assert_max_num_queries):
    for number in range(30):
        sessions(a_tenant(f"tenant{number}", sessions_per_day=100, sessions_per_month=100), 2)

    with django_assert_max_num_queries(12):
        watch_quotas(now=NOW)


def test_what_another_worker_has_said_meanwhile_is_not_said_again(monkeypatch):
    tenant = a_tenant(sessions_per_day=2)
    sessions(tenant, 1)
    row = {"period": "day", "starts_on": TODAY.date(), "threshold": 50, "quota": 2, "used": 1, "at": NOW}
    # Between the look at what was said and the saying.
    monkeypatch.setattr("sessions_api.watch_quotas._keep", lambda usages, now: None)
    monkeypatch.setattr("sessions_api.watch_quotas.subject_of", lambda tenant: pytest.fail("It was said twice."))
    real = QuotaNotice.objects.filter

    class Late:
        def values_list(self, *names):
            found = list(real().values_list(*names))
            QuotaNotice.objects.create(tenant=tenant, **row)
            return found

    monkeypatch.setattr(QuotaNotice.objects, "filter", lambda **_: Late())

    assert watch_quotas(now=NOW) == 0
    assert QuotaNotice.objects.count() == 1


def test_the_workers_task_looks():
    sessions(a_tenant(sessions_per_day=1), 1, at=datetime.now(UTC))

    look_at_quotas()

    assert len(notices()) == 3


def test_what_limits_on_trial_would_have_refused_is_counted_by_limit_for_a_day_and_a_week():
    tenant, other = a_tenant(), a_tenant("birch")
    sessions(tenant, 2, would_refuse="visitor_limit")
    sessions(tenant, 3, would_refuse="visitor_limit,quota_day", at=NOW - timedelta(days=2))
    sessions(tenant, 9, would_refuse="visitor_limit", at=NOW - timedelta(days=7, microseconds=1))
    sessions(tenant, 1, would_refuse="limit_of_tomorrow")
    sessions(tenant, 9)
    sessions(other, 1, would_refuse="tenant_limit")

    of_tenant = [(each.limit, each.last_day, each.last_week) for each in trials(tenant_id=tenant.pk, at=NOW)]

    assert of_tenant == [(LimitName.VISITOR, 2, 5), (LimitName.QUOTA_DAY, 0, 3)]
    assert {(each.tenant_id, each.limit) for each in trials(at=NOW)} >= {(other.pk, LimitName.TENANT)}


@pytest.mark.parametrize("name", ["session_request_granted", "session_request_on_trial"])
def test_the_ledger_is_asked_by_an_index_of_its_own(name, django_assert_num_queries):
    from django.db import connection

    rows = SessionRequest.objects.filter(tenant_id=uuid.uuid4(), at__gte=NOW).order_by()
    rows = rows.filter(outcome="granted") if name.endswith("granted") else rows.exclude(would_refuse="")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    assert name in rows.values("tenant_id").explain()
