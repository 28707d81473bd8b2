"""Refused websites of a tenant, counted from the ledger and offered on its page."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.record import SYSTEM
from console.groups import setup_groups
from sessions_api import refused_origins as module
from sessions_api.models import SessionRequest
from sessions_api.refused_origins import refused_origins
from tenants.domains import allow_domain
from tenants.origin_entries import parse_entry
from tenants.origins import OriginRules
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db
NOW = timezone.now()
NOBODY = OriginRules(())


def refusal(tenant, origin="https://shop.example", *, minutes=1, count=1, outcome="origin_not_allowed", **fields):
    return SessionRequest.objects.create(
        tenant=tenant, at=NOW - timedelta(minutes=minutes), origin=origin, count=count, outcome=outcome, **fields
    )


def found(tenant, *allowed):
    rules = OriginRules(parse_entry(entry) for entry in allowed) if allowed else NOBODY
    return refused_origins(tenant_id=tenant.pk, allowed=rules, now=NOW)


@pytest.fixture
def tenant():
    return register()


@pytest.fixture
def person(client, django_user_model):
    setup_groups(actor=SYSTEM)

    def person(group):
        user = django_user_model.objects.create_user(group.lower().replace(" ", "-"), is_staff=True)
        user.groups.set(user.groups.model.objects.filter(name=group))
        client.force_login(user)
        return client

    return person


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def test_rows_and_counted_rows_add_up_with_the_first_and_the_last(tenant):
    first = refusal(tenant, minutes=60)
    refusal(tenant, minutes=30, count=480)
    last = refusal(tenant, minutes=1, reason="preview_expired")
    refusal(tenant, "https://b.example", count=3)

    shop, other = found(tenant).origins

    assert (shop.origin, shop.count, shop.first_at, shop.last_at) == ("https://shop.example", 482, first.at, last.at)
    assert (other.origin, other.count) == ("https://b.example", 3)


def test_only_refused_origins_of_this_tenant_and_of_the_last_seven_days_count(tenant):
    refusal(register("Birch"))
    refusal(tenant, minutes=7 * 24 * 60 + 1)
    refusal(tenant, outcome="granted")
    refusal(tenant, outcome="rate_limited")
    refusal(tenant, "null", outcome="origin_null")
    refusal(tenant, "https://shop.example/", outcome="origin_malformed")
    refusal(tenant, settings.PREVIEW_ORIGIN)

    assert found(tenant).origins == ()
    assert found(tenant).since == NOW - timedelta(days=7)


def test_what_is_allowed_by_now_is_left_out(tenant):
    refusal(tenant, "https://shop.example")
    refusal(tenant, "https://a.shop.example")

    assert [each.origin for each in found(tenant, "shop.example").origins] == ["https://a.shop.example"]
    assert found(tenant, "shop.example", "*.shop.example").origins == ()


def test_the_twenty_most_frequent_are_named_and_those_beyond_the_ledgers_cap_counted(tenant):
    for number in range(25):
        refusal(tenant, f"https://s{number}.example", count=number + 1)
    refusal(tenant, "", count=500)

    refused = found(tenant)

    assert [each.count for each in refused.origins] == list(range(25, 5, -1))
    assert refused.unnamed == 500


def test_a_busy_tenant_is_looked_at_as_far_as_the_newest_rows_go(tenant, monkeypatch):
    monkeypatch.setattr(module, "ROWS_READ", 3)
    refusal(tenant, "https://old.example", minutes=50)
    edge = refusal(tenant, minutes=40, outcome="granted")
    for minutes in (30, 20):
        refusal(tenant, minutes=minutes, outcome="granted")
    refusal(tenant, "https://new.example", minutes=10)

    refused = found(tenant)

    assert [each.origin for each in refused.origins] == ["https://new.example"]
    assert refused.since == edge.at


def test_it_is_two_queries_by_the_index_on_tenant_and_time(tenant):
    refusal(tenant)
    with CaptureQueriesContext(connection) as queries:
        found(tenant)

    assert len(queries) == 2
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        for query in queries.captured_queries:
            cursor.execute(
                f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{query['sql'].removesuffix(';')}"
            )
            assert "session_request_tenant_at" in str(cursor.fetchall())


class TestThePanel:
    def test_a_site_admin_gets_a_button_for_each_that_can_be_allowed(self, person, tenant):
        refusal(tenant, "https://shop.example", count=12)
        refusal(tenant, "http://localhost:3000")
        refusal(tenant, "https://cdn.platform.openai.com")

        page = person("Site admins").get(page_of(tenant)).content.decode()

        assert "12×" in page
        assert 'aria-label="Allow https://shop.example"' in page
        assert '?origin=http%3A%2F%2Flocalhost%3A3000">Allow…</a>' in page
        assert 'aria-label="Allow http://localhost:3000"' not in page
        assert "can't be allowed" in page or "can&#x27;t be allowed" in page

    def test_allowed_by_its_button_it_is_gone_from_the_panel(self, person, tenant):
        refusal(tenant, "https://shop.example")
        client = person("Site admins")

        client.post(reverse("admin:tenants_tenant_allow_origin", args=[tenant.pk]), {"origin": "https://shop.example"})

        assert tenant.domains.get().entry == "https://shop.example"
        assert "Refused websites" not in client.get(page_of(tenant)).content.decode()

    def test_an_operator_sees_them_without_buttons(self, person, tenant):
        refusal(tenant, "https://shop.example")

        page = person("Operators").get(page_of(tenant)).content.decode()

        assert "Refused websites" in page
        assert "allow-origin" not in page

    def test_who_may_not_look_into_the_ledger_sees_none(self, client, django_user_model, tenant):
        from django.contrib.auth.models import Permission

        refusal(tenant, "https://shop.example")
        user = django_user_model.objects.create_user("vera", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_tenant"))
        client.force_login(user)

        assert "Refused websites" not in client.get(page_of(tenant)).content.decode()

    def test_where_nothing_was_refused_there_is_no_panel(self, person, tenant):
        allow_domain(tenant=tenant, text="shop.example", actor=SYSTEM)
        refusal(tenant, "https://shop.example")

        assert "Refused websites" not in person("Operators").get(page_of(tenant)).content.decode()

    def test_what_a_program_sent_can_not_become_markup(self, person, tenant):
        refusal(tenant, 'https://"><script>alert(1)</script>')

        assert "<script>alert" not in person("Site admins").get(page_of(tenant)).content.decode()
