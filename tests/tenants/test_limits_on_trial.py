"""Limits on trial, ticked on the tenant's page."""

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from tenants.admin.tenant import AT_LEAST_ONE_SAYS
from tenants.snapshot import limits_of_tenant
from tests.tenants.cast import register
from tests.tenants.forms import errors_of, posted

pytestmark = pytest.mark.django_db


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def test_they_are_ticked_audited_and_reach_the_snapshot(console, settings):
    settings.LIMITS_LOG_ONLY = ["address_limit"]
    tenant = register("Alder")

    answer = posted(console, page_of(tenant), log_only_limits=["visitor_limit", "quota_day"], sessions_per_day="100")

    tenant.refresh_from_db()
    assert answer.status_code == 302
    assert tenant.log_only_limits == ["visitor_limit", "quota_day"]
    values = AuditEvent.objects.get(action="tenant:changed").changes["values"]
    assert values["log_only_limits"] == {"old": [], "new": ["visitor_limit", "quota_day"]}
    limits = limits_of_tenant(tenant)
    assert limits.log_only == {"visitor_limit", "quota_day", "address_limit"}
    assert (limits.per_day, limits.per_month) == (100, None)


def test_a_name_of_no_limit_is_refused(console):
    answer = posted(console, page_of(register("Alder")), log_only_limits=["all_limits"])

    assert "all_limits is not one of the available choices" in errors_of(answer)


def test_a_save_that_leaves_them_alone_changes_nothing(console):
    tenant = register("Alder", log_only_limits=["visitor_limit"])

    posted(console, page_of(tenant), log_only_limits=["visitor_limit"])

    assert AuditEvent.objects.filter(action="tenant:changed").count() == 0


def test_each_limit_has_the_sites_default_and_the_tenants_own(settings):
    settings.SESSIONS_PER_MONTH_TENANT = 5000
    defaults = limits_of_tenant(register("Alder"))
    own = limits_of_tenant(
        register(
            "Birch",
            sessions_per_minute=1,
            sessions_per_minute_per_visitor=2,
            sessions_per_minute_per_address=3,
            new_visitors_per_minute=4,
            sessions_per_day=5,
            sessions_per_month=6,
        )
    )

    assert (defaults.per_tenant, defaults.per_visitor, defaults.per_address) == (600, 10, 120)
    assert (defaults.new_visitors, defaults.per_day, defaults.per_month) == (300, None, 5000)
    assert (own.per_tenant, own.per_visitor, own.per_address) == (1, 2, 3)
    assert (own.new_visitors, own.per_day, own.per_month) == (4, 5, 6)


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_a_limit_below_one_is_refused_with_the_cure(console, amount):
    names = ("sessions_per_day", "sessions_per_month", "sessions_per_minute", "new_visitors_per_minute")
    answer = posted(console, page_of(register("Alder")), **dict.fromkeys(names, amount))

    errors = answer.context["adminform"].form.errors

    assert {name: list(errors[name]) for name in names} == {name: [AT_LEAST_ONE_SAYS] for name in names}
    assert "suspend the tenant" in AT_LEAST_ONE_SAYS
