"""Websites in the console: patterns with their last day, warnings, the tester, and a refused origin that is allowed."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.domains import allow_domain, today
from tenants.models import AllowedDomain, ConfigEpoch, TenantState
from tenants.origin_entries import EntryRefused
from tenants.states import start_deletion, suspend_tenant
from tests.console.conftest import PASSWORD
from tests.tenants.cast import register
from tests.tenants.forms import errors_of, posted

pytestmark = pytest.mark.django_db


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def in_days(days):
    return today() + timedelta(days=days)


def entries(tenant):
    return [domain.entry for domain in tenant.domains.all()]


@pytest.fixture
def tenant():
    return register()


@pytest.fixture
def viewer(log_in):
    user = User.objects.create_user("vera", "", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_tenant", "view_alloweddomain"]))
    return log_in(user)


class TestPatternsInTheForm:
    def test_a_pattern_with_its_last_day_is_stored_and_audited(self, console, tenant):
        posted(console, page_of(tenant), domains__0__entry="App-*.example.com", domains__0__expires_on=str(in_days(30)))

        domain = tenant.domains.get()
        assert (domain.entry, domain.expires_on) == ("https://app-*.example.com", in_days(30))
        assert AuditEvent.objects.get(action="domain:allowed").changes["values"]["expires_on"] == {
            "old": None,
            "new": in_days(30).isoformat(),
        }

    @pytest.mark.parametrize(
        ("entry", "days", "cure"),
        [
            ("app-*.example.com", None, "needs its last day"),
            ("app-*.example.com", -1, "This day is over"),
            ("app-*.example.com", 91, "lasts 90 days at most"),
            ("example.com", 9, "Leave the day empty"),
            ("app-*.vercel.app", 9, "Tick “Allow a shared domain (patterns)”"),
            ("app-*.com", 9, "Anybody can buy such a domain"),
        ],
    )
    def test_what_can_not_be_meant_is_refused_at_its_field(self, console, tenant, entry, days, cure):
        given = {} if days is None else {"domains__0__expires_on": str(in_days(days))}

        answer = posted(console, page_of(tenant), domains__0__entry=entry, **given)

        assert cure in errors_of(answer)
        assert entries(tenant) == []

    def test_a_shared_parent_takes_its_own_tick_and_no_other(self, console, tenant):
        given = {"domains__0__entry": "app-*.vercel.app", "domains__0__expires_on": str(in_days(9))}

        posted(console, page_of(tenant), **given, domains__0__allow_http="on")
        assert entries(tenant) == []
        posted(console, page_of(tenant), **given, domains__0__allow_shared="on")

        assert entries(tenant) == ["https://app-*.vercel.app"]

    def test_one_that_is_over_does_not_hinder_another_change_and_is_moved_on_only_to_a_sensible_day(
        self, console, tenant
    ):
        domain = allow_domain(tenant=tenant, text="app-*.example.com", actor=SYSTEM, expires_on=today())
        AllowedDomain.objects.filter(pk=domain.pk).update(expires_on=in_days(-2))

        posted(console, page_of(tenant), sessions_per_minute="30")
        tenant.refresh_from_db()
        assert tenant.sessions_per_minute == 30
        again = posted(console, page_of(tenant), domains__0__expires_on=str(in_days(-1)))
        assert "This day is over" in errors_of(again)
        posted(console, page_of(tenant), domains__0__expires_on=str(in_days(5)))

        domain.refresh_from_db()
        assert domain.expires_on == in_days(5)
        assert AuditEvent.objects.get(action="domain:changed").changes["values"] == {
            "expires_on": {"old": in_days(-2).isoformat(), "new": in_days(5).isoformat()}
        }

    def test_a_pattern_that_becomes_a_website_loses_its_last_day(self, console, tenant):
        allow_domain(tenant=tenant, text="app-*.example.com", actor=SYSTEM, expires_on=today())

        posted(console, page_of(tenant), domains__0__entry="app.example.com", domains__0__expires_on="")

        domain = tenant.domains.get()
        assert (domain.entry, domain.expires_on) == ("https://app.example.com", None)


class TestTheRow:
    @pytest.mark.parametrize("fields", [{"host": "app-*.example.com"}, {"host": "example.com", "expires_on": "day"}])
    def test_the_database_knows_that_patterns_and_nothing_else_end(self, tenant, fields):
        if "expires_on" in fields:
            fields = {**fields, "expires_on": today()}
        with pytest.raises(IntegrityError), transaction.atomic():
            AllowedDomain.objects.create(tenant=tenant, **fields)

    def test_every_change_of_it_raises_the_epoch(self, tenant):
        numbers = [ConfigEpoch.current()]
        domain = allow_domain(tenant=tenant, text="app-*.example.com", actor=SYSTEM, expires_on=today())
        numbers.append(ConfigEpoch.current())
        domain.expires_on = in_days(3)
        domain.save(update_fields=["expires_on"])
        numbers.append(ConfigEpoch.current())
        AllowedDomain.objects.update(expires_on=in_days(4))
        numbers.append(ConfigEpoch.current())

        assert numbers == sorted(set(numbers))

    def test_the_deed_refuses_a_day_that_makes_no_sense(self, tenant):
        with pytest.raises(EntryRefused, match="90 days"):
            allow_domain(tenant=tenant, text="app-*.example.com", actor=SYSTEM, expires_on=in_days(91))
        with pytest.raises(EntryRefused, match="is over"):
            allow_domain(tenant=tenant, text="app-*.example.com", actor=SYSTEM, expires_on=in_days(-1))


class TestWarnings:
    def test_they_stand_on_the_tenants_page_for_as_long_as_the_entry_is_there(self, console, tenant):
        allow_domain(tenant=tenant, text="http://localhost:3000", actor=SYSTEM, allow_http=True)
        pattern = allow_domain(
            tenant=tenant, text="app-*.vercel.app", actor=SYSTEM, expires_on=today(), allow_shared=True
        )

        page = console.get(page_of(tenant)).content.decode()
        AllowedDomain.objects.filter(pk=pattern.pk).update(expires_on=in_days(-1))
        later = console.get(page_of(tenant)).content.decode()
        AllowedDomain.objects.all().delete()
        none = console.get(page_of(tenant)).content.decode()

        assert 'tone-warn">local<' in page
        assert 'tone-warn">ends soon<' in page
        assert "Anybody with an account at vercel.app" in page
        assert 'tone-bad">over<' in later
        assert "website-warnings" not in none


def url_of_tester(tenant, **query):
    return f"{reverse('admin:tenants_tenant_origin', args=[tenant.pk])}?{urlencode(query)}"


class TestTheTester:
    @pytest.mark.parametrize(
        ("typed", "reason", "entry", "words"),
        [
            ("https://shop.example.com", "allowed", "https://*.example.com", "matches"),
            ("https://example.com", "origin_not_allowed", None, "not example.com itself"),
            ("https://old-1.example.net", "preview_expired", "https://old-*.example.net", "Choose a later last day"),
            ("", "origin_missing", None, "a proxy drops the header"),
            ("null", "origin_null", None, "allow-same-origin"),
            (" https://shop.example.com", "origin_malformed", None, "the web server cuts them off first"),
            ("https://shop.example.com\t", "origin_malformed", None, "the web server cuts them off first"),
            ("https://SHOP.example.com", "origin_malformed", None, "sends https://shop.example.com"),
            ("<script>alert(1)</script>", "origin_malformed", None, "No browser writes"),
            ("https://shop.example.com\x00", "origin_malformed", None, "A browser sends one origin"),
            ("x" * 9000, "origin_malformed", None, "No browser writes"),
        ],
        ids=lambda value: ascii(value)[:30],
    )
    def test_it_says_verdict_reason_entry_and_cure_for_the_very_bytes(
        self, viewer, tenant, typed, reason, entry, words
    ):
        allow_domain(tenant=tenant, text="*.example.com", actor=SYSTEM)
        old = allow_domain(tenant=tenant, text="old-*.example.net", actor=SYSTEM, expires_on=today())
        AllowedDomain.objects.filter(pk=old.pk).update(expires_on=in_days(-1))

        answer = viewer.get(url_of_tester(tenant, origin=typed))

        assert answer.status_code == 200
        assert answer.context["verdict"].reason == reason
        assert (str(answer.context["verdict"].rule) if entry else answer.context["verdict"].rule) == entry
        page = answer.content.decode()
        assert words in page
        assert f"<code>{reason}</code>" in page
        assert "<script>alert" not in page

    def test_without_a_question_it_gives_no_answer(self, viewer, tenant):
        page = viewer.get(url_of_tester(tenant)).content.decode()

        assert "Reason" not in page

    def test_it_says_what_else_would_refuse_the_call(self, viewer, tenant, settings):
        suspend_tenant(tenant=tenant, actor=SYSTEM)

        page = viewer.get(url_of_tester(tenant, origin=settings.PREVIEW_ORIGIN)).content.decode()

        assert "every call is told tenant_unknown" in page
        assert "it passes with a ticket" in page

    def test_it_wants_the_permission_to_look(self, log_in, tenant):
        nobody = log_in(User.objects.create_user("nora", "", PASSWORD, is_staff=True))

        assert nobody.get(url_of_tester(tenant, origin="null")).status_code == 403

    def test_looking_writes_nothing(self, viewer, tenant):
        before = AuditEvent.objects.count(), ConfigEpoch.current()

        viewer.get(url_of_tester(tenant, origin="https://shop.example"))

        assert (AuditEvent.objects.count(), ConfigEpoch.current()) == before


def allow(client, tenant, origin, **more):
    return client.post(reverse("admin:tenants_tenant_allow_origin", args=[tenant.pk]), {"origin": origin, **more})


class TestAllowing:
    def test_one_click_allows_exactly_this_origin_and_is_audited(self, console, tenant):
        answer = allow(console, tenant, "https://shop.example:8443")

        assert answer.url == page_of(tenant)
        assert entries(tenant) == ["https://shop.example:8443"]
        event = AuditEvent.objects.get(action="domain:allowed")
        assert (event.actor, event.subject, event.tenant_id) == ("ada", "https://shop.example:8443", tenant.pk)

    def test_a_second_click_changes_nothing(self, console, tenant):
        for _ in range(2):
            allow(console, tenant, "https://shop.example")

        assert AuditEvent.objects.filter(action="domain:allowed").count() == 1

    @pytest.mark.parametrize(
        ("origin", "warning"),
        [("http://shop.example", "plain http"), ("http://localhost:3000", "everybody&#x27;s own machine")],
    )
    def test_http_and_local_ones_take_the_explicit_choice_on_a_page_that_warns(self, console, tenant, origin, warning):
        asked = allow(console, tenant, origin)
        page = asked.content.decode()
        by_link = console.get(
            f"{reverse('admin:tenants_tenant_allow_origin', args=[tenant.pk])}?{urlencode({'origin': origin})}"
        ).content.decode()

        assert asked.status_code == 200
        assert entries(tenant) == []
        assert warning in page
        assert warning in by_link
        allow(console, tenant, origin, allow_http="on")
        assert entries(tenant) == [origin]

    @pytest.mark.parametrize("origin", ["", "null", "https://*.example.com", "shop.example", "https://shop.example/"])
    def test_what_no_browser_sends_is_not_allowed_by_a_click(self, console, tenant, origin):
        assert allow(console, tenant, origin, allow_http="on").status_code == 302
        assert entries(tenant) == []

    def test_a_link_alone_changes_nothing(self, console, tenant):
        console.get(
            f"{reverse('admin:tenants_tenant_allow_origin', args=[tenant.pk])}?origin=https%3A%2F%2Fshop.example"
        )

        assert entries(tenant) == []

    def test_it_wants_the_permission_to_change(self, viewer, tenant):
        assert allow(viewer, tenant, "https://shop.example").status_code == 403
        assert entries(tenant) == []

    def test_it_wants_the_browsers_own_token(self, superuser, log_in, tenant):
        from django.test import Client

        strict = Client(enforce_csrf_checks=True)
        strict.force_login(superuser)

        assert allow(strict, tenant, "https://shop.example").status_code == 403
        assert entries(tenant) == []

    def test_a_tenant_that_is_being_deleted_gets_nothing_more(self, console, tenant):
        start_deletion(tenant=tenant, actor=SYSTEM)
        tenant.refresh_from_db()

        assert tenant.state == TenantState.DELETING
        assert allow(console, tenant, "https://shop.example").status_code == 403
