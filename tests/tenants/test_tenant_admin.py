import re

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.domains import allow_domain
from tenants.models import ApiKey, AssistantKey, Tenant, Verdict
from tenants.signals import key_changed
from tenants.states import suspend_tenant
from tests.tenants.cast import give_assistant, give_key, register
from tests.tenants.forms import errors_of, filled, posted

pytestmark = pytest.mark.django_db

ADD = "/admin/tenants/tenant/add/"
LIST = "/admin/tenants/tenant/"


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def actions():
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


class TestRegistering:
    def test_a_tenant_is_registered_with_its_website_parsed_and_audited(self, console):
        answer = posted(console, ADD, name="Alder", slug="alder", domains__0__entry="Shop.Example.com")

        tenant = Tenant.objects.get()
        assert answer.url == page_of(tenant)
        assert [domain.entry for domain in tenant.domains.all()] == ["https://shop.example.com"]
        assert actions()[-2:] == ["tenant:created", "domain:allowed"]
        assert AuditEvent.objects.get(action="domain:allowed").actor == "ada"

    @pytest.mark.parametrize(
        ("typed", "cure"),
        [
            ("https://shop.example.com/chat", "Leave out everything after the domain"),
            ("http://shop.example.com", "Write https://"),
            ("localhost:8003", "Tick “Allow http and local names (development)”"),
            ("http://10.0.0.7", "tick “Allow http and local names (development)”"),
            ("*.co.uk", "Strangers own names below this one"),
            ("a.example.com, b.example.com", "one domain per entry"),
            ("https://cdn.platform.openai.com", "ChatKit's own frame"),
        ],
    )
    def test_a_website_that_can_not_be_meant_is_refused_with_its_cure(self, console, typed, cure):
        answer = posted(console, ADD, name="Alder", slug="alder", domains__0__entry=typed)

        assert cure in errors_of(answer)
        assert not Tenant.objects.exists()

    def test_plain_http_wants_the_tick(self, console):
        posted(
            console,
            ADD,
            name="Alder",
            slug="alder",
            domains__0__entry="http://shop.localhost:8003",
            domains__0__allow_http="on",
        )

        assert Tenant.objects.get().domains.get().entry == "http://shop.localhost:8003"

    def test_the_same_website_twice_is_refused_however_it_is_typed(self, console):
        tenant = register()
        allow_domain(tenant=tenant, text="shop.example.com", actor=SYSTEM)

        answer = posted(
            console, page_of(tenant), domains__TOTAL_FORMS=2, domains__1__entry="https://SHOP.example.com:443/"
        )

        assert "on the list already" in errors_of(answer)

    def test_the_website_that_another_tab_added_meanwhile_is_refused(self, console):
        tenant = register()
        other_tab = filled(console, page_of(tenant))
        posted(console, page_of(tenant), domains__0__entry="shop.example.com")

        answer = console.post(page_of(tenant), {**other_tab, "domains-0-entry": "shop.example.com"})

        assert "on the list already: open the page again" in errors_of(answer)
        assert tenant.domains.count() == 1

    def test_a_website_can_not_take_the_place_that_another_row_has_not_given_up_yet(self, console):
        tenant = register()
        allow_domain(tenant=tenant, text="a.example.com", actor=SYSTEM)
        allow_domain(tenant=tenant, text="b.example.com", actor=SYSTEM)

        swapped = posted(console, page_of(tenant), domains__0__entry="b.example.com", domains__1__entry="a.example.com")
        moved = posted(
            console,
            page_of(tenant),
            domains__TOTAL_FORMS=3,
            domains__0__entry="c.example.com",
            domains__2__entry="a.example.com",
        )

        assert "on the list already" in errors_of(swapped)
        assert moved.status_code == 302
        assert {domain.host for domain in tenant.domains.all()} == {"a.example.com", "b.example.com", "c.example.com"}

    def test_a_row_that_somebody_removed_or_changed_meanwhile_does_not_come_back(self, console):
        tenant = register()
        allow_domain(tenant=tenant, text="a.example.com", actor=SYSTEM)
        allow_domain(tenant=tenant, text="b.example.com", actor=SYSTEM)
        stale = filled(console, page_of(tenant))
        posted(console, page_of(tenant), domains__0__DELETE="on", domains__1__entry="c.example.com")

        answer = console.post(page_of(tenant), stale)

        assert "Somebody changed this meanwhile: Website." in errors_of(answer)
        assert [domain.host for domain in tenant.domains.all()] == ["c.example.com"]

    @pytest.mark.parametrize(("slug", "upstream"), [("Alder", "openai"), ("-", "openai"), ("alder", "elsewhere")])
    def test_bad_slugs_and_places_are_refused(self, console, slug, upstream):
        answer = posted(console, ADD, name="Alder", slug=slug, upstream=upstream, domains__0__entry="")

        assert errors_of(answer)
        assert not Tenant.objects.exists()


class TestThePage:
    def test_it_says_what_is_to_be_done_next(self, console):
        tenant = register()

        steps = console.get(page_of(tenant)).context["steps"]

        assert [(step.title, step.is_done) for step in steps] == [
            ("OpenAI key", False),
            ("Key checked", False),
            ("Assistant", False),
            ("Website", False),
            ("Snippet", False),
        ]

    def test_it_shows_each_key_with_its_state_in_words_and_the_cure(self, console):
        tenant = register()
        give_assistant(tenant, give_key(tenant))
        ApiKey.objects.update(verdict=Verdict.INVALID_KEY)

        page = console.get(page_of(tenant)).content.decode()

        assert "key refused" in page
        assert "Make a new key at platform.openai.com" in page
        assert "Check now" in page

    def test_it_shows_everything_that_the_websites_developer_needs(self, console):
        tenant = register(domain_verification_key="dv_1")
        allow_domain(tenant=tenant, text="shop.example.com", actor=SYSTEM)

        page = console.get(page_of(tenant)).content.decode()

        assert f"data-tenant=&quot;{tenant.public_id}&quot;" in page
        assert "integrity=&quot;sha384-" in page
        assert "frame-src https://cdn.platform.openai.com;" in page
        assert f"VITE_API_URL=http://127.0.0.1:8000/api/v1/tenants/{tenant.public_id}" in page
        assert "openai-domain-verify" in page
        assert "https://platform.openai.com/settings/organization/security/domain-allowlist" in page

    def test_saving_changes_what_was_changed_and_audits_old_and_new(self, console):
        tenant = register()
        allow_domain(tenant=tenant, text="shop.example.com", actor=SYSTEM)

        posted(console, page_of(tenant), sessions_per_minute="30", domains__0__entry="*.example.com")

        tenant.refresh_from_db()
        assert tenant.sessions_per_minute == 30
        assert tenant.domains.get().entry == "https://*.example.com"
        changed = AuditEvent.objects.get(action="tenant:changed").changes
        assert changed["values"] == {"sessions_per_minute": {"old": None, "new": 30}}
        assert AuditEvent.objects.get(action="domain:changed").changes["values"]["entry"] == {
            "old": "https://shop.example.com",
            "new": "https://*.example.com",
        }

    def test_what_somebody_else_changed_meanwhile_is_not_changed_back(self, console):
        tenant = register(fallback_text="Write to us.")
        stale = filled(console, page_of(tenant))
        posted(console, page_of(tenant), fallback_text="Call us.")

        answer = console.post(page_of(tenant), {**stale, "sessions_per_minute": "30"})

        tenant.refresh_from_db()
        assert "Somebody changed this meanwhile: Fallback text." in errors_of(answer)
        assert (tenant.fallback_text, tenant.sessions_per_minute) == ("Call us.", None)
        assert 'name="seen"' in console.get(page_of(tenant)).content.decode()

    def test_a_suspension_meanwhile_is_no_hindrance(self, console):
        tenant = register()
        stale = filled(console, page_of(tenant))
        suspend_tenant(tenant=tenant, actor=SYSTEM)

        answer = console.post(page_of(tenant), {**stale, "sessions_per_minute": "30"})

        tenant.refresh_from_db()
        assert answer.status_code == 302
        assert (tenant.state, tenant.sessions_per_minute) == ("suspended", 30)

    def test_saving_without_a_change_leaves_no_event(self, console):
        tenant = register()
        before = actions()

        posted(console, page_of(tenant))

        assert [action for action in actions()[len(before) :] if action.startswith("tenant:")] == []

    def test_another_openai_address_asks_for_new_checks(self, console, settings):
        settings.OPENAI_BASE_URLS = {"openai": "https://api.openai.com/v1", "other": "https://other.example/v1"}
        settings.CHATKIT_JS_URLS = {
            "openai": "https://cdn.example/chatkit.js",
            "other": "https://cdn.example/chatkit.js",
        }
        key = give_key(register())
        asked = []

        def hear(*, key_id, **_):
            asked.append(key_id)

        key_changed.connect(hear)
        posted(console, page_of(key.tenant), upstream="other")
        key_changed.disconnect(hear)

        assert asked == [key.id]


class TestTheList:
    def fill(self, count):
        for number in range(count):
            tenant = register(f"Tenant {number:02}", slug=f"t{number}")
            allow_domain(tenant=tenant, text=f"shop{number}.example.com", actor=SYSTEM)
            give_assistant(tenant, give_key(tenant), give_key(tenant, label="second"))

    def test_the_number_of_queries_does_not_grow_with_the_tenants(self, console, django_assert_num_queries):
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self.fill(2)
        console.get(LIST)
        with CaptureQueriesContext(connection) as few:
            console.get(LIST)
        Tenant.objects.all().delete()
        self.fill(50)

        with django_assert_num_queries(len(few)):
            answer = console.get(LIST)

        assert len(answer.context["cl"].result_list) == 50

    def test_a_dead_key_is_seen_at_a_glance_also_beside_a_healthy_one(self, console):
        self.fill(1)
        ApiKey.objects.filter(label="second").update(verdict=Verdict.INVALID_KEY)
        ApiKey.objects.filter(label="production").update(verdict=Verdict.HEALTHY)

        page = console.get(LIST).content.decode()

        assert re.search(r'tone-bad">key refused</span> <span class="muted small">1 of 2<', page)

    def test_a_dead_pair_is_seen_as_well(self, console):
        self.fill(1)
        AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

        assert "workflow not found" in console.get(LIST).context["cl"].model_admin.key_state(
            console.get(LIST).context["cl"].result_list[0]
        )

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("keys=broken", ["Birch"]),
            ("keys=invalid_key", ["Birch"]),
            ("keys=none", ["Cedar"]),
            ("keys=unchecked", ["Alder"]),
            ("state__exact=suspended", ["Cedar"]),
            ("q=birch.example", ["Birch"]),
            ("q=wf_cedar", ["Cedar"]),
        ],
    )
    def test_it_can_be_searched_and_filtered(self, console, query, names):
        give_key(register("Alder"))
        birch = give_key(register("Birch"))
        allow_domain(tenant=birch.tenant, text="shop.birch.example", actor=SYSTEM)
        ApiKey.objects.filter(pk=birch.pk).update(verdict=Verdict.INVALID_KEY)
        cedar = register("Cedar")
        give_assistant(cedar, workflow_id="wf_cedar")
        suspend_tenant(tenant=cedar, actor=SYSTEM)

        answer = console.get(f"{LIST}?{query}")

        assert [tenant.name for tenant in answer.context["cl"].result_list] == names
