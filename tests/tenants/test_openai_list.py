"""OpenAI's own list of websites beside ours: entered by hand, shown as a check-list."""

from datetime import date

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.domains import allow_domain
from tenants.models import AllowedDomain
from tenants.openai_list import OPENAI_LIST_URL, listings_of
from tests.tenants.cast import give_assistant, give_chat, give_version, register
from tests.tenants.forms import errors_of, posted

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 20)


@pytest.fixture
def tenant():
    return register()


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def allow(tenant, text, *, key="", day=None, **choices):
    domain = allow_domain(tenant=tenant, text=text, actor=SYSTEM, **choices)
    AllowedDomain.objects.filter(pk=domain.pk).update(domain_key=key, listed_at_openai=day)


@pytest.mark.parametrize(
    ("text", "choices", "missing"),
    [
        ("https://shop.example", {}, "Enter shop.example at OpenAI"),
        ("https://shop.example", {"day": DAY}, "Enter the key"),
        ("https://shop.example", {"key": "domain_pk_1"}, "Enter shop.example at OpenAI"),
        ("https://shop.example", {"key": "domain_pk_1", "day": DAY}, ""),
        ("https://*.shop.example", {"key": "domain_pk_1", "day": DAY}, "no patterns"),
        ("http://localhost:8001", {"allow_http": True}, ""),
    ],
)
def test_what_is_missing_is_said(tenant, text, choices, missing):
    allow(tenant, text, **choices)

    [listing] = listings_of(tenant)

    assert missing in listing.missing
    assert bool(missing) == bool(listing.missing)


def test_key_and_day_are_entered_beside_the_website_and_audited(console, tenant):
    allow(tenant, "https://shop.example")

    posted(console, page_of(tenant), domains__0__domain_key="domain_pk_abc", domains__0__listed_at_openai=str(DAY))

    domain = tenant.domains.get()
    assert (domain.entry, domain.domain_key, domain.listed_at_openai) == ("https://shop.example", "domain_pk_abc", DAY)
    values = AuditEvent.objects.get(action="domain:changed").changes["values"]
    assert values["domain_key"] == {"old": "", "new": "domain_pk_abc"}


def test_what_is_no_domain_key_is_refused_with_the_cure(console, tenant):
    allow(tenant, "https://shop.example")

    answer = posted(console, page_of(tenant), domains__0__domain_key="sk-123")

    assert "starts with “domain_pk_”" in errors_of(answer)


def test_the_check_list_shows_where_the_platform_answers_or_is_about_to(console, tenant):
    allow(tenant, "https://shop.example")
    hosted = give_assistant(tenant)
    only_hosted = console.get(page_of(tenant)).content.decode()

    give_version(hosted)
    prepared = console.get(page_of(tenant)).content.decode()
    other = register("Birch")
    give_chat(other)
    without_websites = console.get(page_of(other)).content.decode()

    assert OPENAI_LIST_URL not in only_hosted.split('id="install"')[0]
    assert 'id="openai-list"' not in only_hosted
    assert 'id="openai-list"' in prepared
    assert "Enter shop.example at OpenAI" in prepared
    assert "exact host names" in prepared.lower()
    assert "30 minutes" in prepared
    assert "No website may open the chat yet" in without_websites
