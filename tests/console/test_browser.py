"""Every page of the console in real Chromium, in both schemes, on a desk and on a phone: no violation of the policy (W1)."""

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from audit.actions import Action
from audit.record import SYSTEM, Subject, record
from sessions_api.erase_visitor import Person, erase_visitor
from sessions_api.models import LiveSession
from tenants.domains import allow_domain, today
from tenants.identity_keys import add_secret
from tenants.versions import save_draft
from tests.dashboards.ledger import a_request
from tests.tenants.cast import give_chat, give_key, register

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = (
    "admin:index",
    "admin:auth_user_changelist",
    "admin:auth_user_add",
    "admin:auth_group_add",
    "admin:password_change",
    "admin:audit_auditevent_changelist",
    "admin:tenants_tenant_changelist",
    "admin:tenants_tenant_add",
    "admin:tenants_apikey_changelist",
    "admin:tenants_apikey_add",
    "admin:tenants_assistant_changelist",
    "admin:tenants_assistant_add",
    "admin:sessions_api_sessionrequest_changelist",
    "admin:sessions_api_livesession_changelist",
    "admin:sessions_api_visitorerasure_changelist",
    "operations",
    "your-address",
    "sunset",
    "ops-api-docs",
    "public-api-docs",
    "reauthenticate",
)

OF_A_TENANT = (
    "admin:tenants_tenant_change",
    "admin:tenants_tenant_identity_secret",
    "admin:tenants_tenant_identity_public_key",
    "identity-debugger",
    "identity-code",
)

# Whether two sections of the page lie over each other.
COVERED = """() => {
    const boxes = [...document.querySelectorAll("section.module, fieldset.module")]
        .filter(part => !part.parentElement.closest(".module")).map(part => part.getBoundingClientRect())
        .filter(box => box.height > 0).sort((one, other) => one.top - other.top);
    return boxes.some((box, place) => place > 0 && box.top < boxes[place - 1].bottom - 1 && box.left < boxes[place - 1].right);
}"""


@pytest.fixture
def addresses(superuser, live_server) -> list[str]:
    group = Group.objects.create(name="Operators")
    with transaction.atomic():
        event = record(Action.TENANT_CREATED, actor=SYSTEM, subject=Subject("tenant", "7", "Harbour Books"))
        tenant = register()
        key, _ = add_secret(tenant=tenant, label="website", actor=SYSTEM)
    for text, choices in (
        ("http://localhost:3000", {"allow_http": True}),
        ("app-*.example.com", {"expires_on": today()}),
    ):
        allow_domain(tenant=tenant, text=text, actor=SYSTEM, **choices)
    refused = "https://a-preview-with-a-name-as-long-as-those-of-branches-are.example.com"
    a_request(timezone.now(), "origin_not_allowed", tenant=tenant, origin=refused)
    now = timezone.now()
    for cancelled_at in (now, None):
        LiveSession.objects.create(
            tenant=tenant,
            key=give_key(tenant, label=f"key {cancelled_at}"),
            granted_at=now,
            expires_at=now + timedelta(minutes=9),
            cancel_requested_at=now,
            cancel_reason="origin_withdrawn",
            cancelled_at=cancelled_at,
        )
    person = Person(f"v1.{tenant.public_id}.somebody")
    erasure = erase_visitor(tenant=tenant, person=person, actor=SYSTEM)
    chat = give_chat(tenant, slug="chat")
    tool = {"name": "show_cart", "description": "Opens the cart.", "parameters": {"type": "object", "properties": {}}}
    words = {"instructions": "Be brief. " * 40, "client_tools": [tool], "note": "shorter, " * 15}
    save_draft(assistant=chat, values=words, actor=SYSTEM)
    single = [
        reverse("admin:tenants_assistant_change", args=[chat.pk]),
        reverse("admin:tenants_assistant_versions", args=[chat.pk]),
        reverse("admin:tenants_assistant_switch", args=[chat.pk]),
        reverse("admin:tenants_tenant_origin", args=[tenant.pk]) + f"?origin={refused}/",
        reverse("admin:tenants_tenant_allow_origin", args=[tenant.pk]) + "?origin=http%3A%2F%2Flocalhost%3A5173",
        *(reverse(name, args=[tenant.pk]) for name in OF_A_TENANT),
        reverse("admin:tenants_tenant_identity_retire", args=[tenant.pk, key.pk]),
        reverse("admin:auth_user_change", args=[superuser.pk]),
        reverse("admin:auth_user_delete", args=[superuser.pk]),
        reverse("admin:auth_user_history", args=[superuser.pk]),
        reverse("admin:auth_user_password_change", args=[superuser.pk]),
        reverse("admin:auth_group_change", args=[group.pk]),
        reverse("admin:audit_auditevent_change", args=[event.pk]),
        reverse("admin:sessions_api_livesession_revoke", args=[tenant.pk]),
        reverse("admin:sessions_api_visitorerasure_erase", args=[tenant.pk]),
        reverse("admin:sessions_api_visitorerasure_change", args=[erasure.pk]),
        "/admin/nope/",
    ]
    return [live_server.url + path for path in (*map(reverse, PAGES), *single)]


@pytest.fixture
def browser(chromium) -> Iterator:
    from playwright.sync_api import sync_playwright

    # Playwright's loop stays in this thread, where Django would refuse the queries of the tests' own teardown.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 375)])
def test_no_page_violates_the_policy_scrolls_sideways_or_fails_in_a_script(
    addresses, browser, live_server, superuser, password, scheme, width
):
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    page.goto(live_server.url + reverse("admin:login"))
    page.fill("#id_username", superuser.username)
    page.fill("#id_password", password)
    page.click("input[type=submit]")
    page.wait_for_url("**/admin/")

    too_wide, covered = [], []
    for address in addresses:
        page.goto(address)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            too_wide.append(address)
        if page.evaluate(COVERED):
            covered.append(address)

    # The one page that isn't there is an error to the browser's console, and the only one.
    assert [text for text in said if "/admin/nope/" not in text] == []
    assert too_wide == []
    assert covered == []


def test_on_a_phone_the_operations_page_shows_the_latest_hours_and_how_many_requests(
    browser, live_server, superuser, password
):
    for outcome, reason in (
        ("tenant_misconfigured", "upstream_not_allowed"),
        ("identity_invalid", "jwt_signature"),
        ("origin_not_allowed", ""),
    ):
        a_request(timezone.now(), outcome, reason=reason)
    page = browser.new_context(viewport={"width": 375, "height": 800}).new_page()
    page.goto(live_server.url + reverse("admin:login"))
    page.fill("#id_username", superuser.username)
    page.fill("#id_password", password)
    page.click("input[type=submit]")
    page.wait_for_url("**/admin/")

    page.goto(live_server.url + reverse("operations"))

    hidden = """name => {
        const part = document.querySelector(`[aria-labelledby=${name}]`).getBoundingClientRect();
        return [...document.querySelectorAll(`[aria-labelledby=${name}] :is(th, td):last-child`)]
            .filter(cell => cell.getBoundingClientRect().right > part.right).length;
    }"""
    latest = "document.querySelector('.chart').getBoundingClientRect().right"
    assert page.evaluate(latest) <= 375
    assert [page.evaluate(hidden, name) for name in ("reasons-title", "states-title", "quotas-title")] == [0, 0, 0]
