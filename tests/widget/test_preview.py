"""The preview: a button of the console, a ticket, and a page on a host of its own."""

import re
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from gateway.preview_tickets import LIFETIME, mint_preview_ticket, read_preview_ticket
from tenants.states import suspend_tenant
from tests.console.conftest import PASSWORD
from tests.tenants.cast import give_assistant, register
from tests.widget.waiting import wait_for


def host():
    return urlsplit(settings.PREVIEW_ORIGIN).netloc


def ticket_for(tenant, *, slug="help", age=0):
    return mint_preview_ticket(tenant_public_id=tenant.public_id, assistant_slug=slug, now=int(time.time()) - age)


def open_page(platform, tenant, ticket, *, at=None):
    headers = {"Host": at or host()}
    return platform.request("GET", f"/preview/{tenant.public_id}/?ticket={ticket}", headers=headers)


@pytest.mark.django_db
class TestTheButton:
    def test_it_mints_a_ticket_records_it_and_leads_to_the_other_host(self, console):
        tenant = register()
        give_assistant(tenant)

        answer = console.post(reverse("tenant-preview", args=[tenant.pk]))

        address = unescape(re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())[1])
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == settings.PREVIEW_ORIGIN
        assert parts.path == f"/preview/{tenant.public_id}/"
        (ticket,) = parse_qs(parts.query)["ticket"]
        read = read_preview_ticket(ticket, tenant_public_id=tenant.public_id, now=int(time.time()))
        assert read is not None
        assert read.assistant_slug == "help"
        assert answer["Referrer-Policy"] == "no-referrer"
        event = AuditEvent.objects.get(action="preview:opened")
        assert (event.actor, event.tenant_id, event.changes) == ("ada", tenant.id, {"assistant": "help"})

    def test_another_assistant_can_be_chosen(self, console):
        tenant = register()
        give_assistant(tenant)
        give_assistant(tenant, slug="desk")

        console.post(reverse("tenant-preview", args=[tenant.pk]), {"assistant": "desk"})

        assert AuditEvent.objects.get(action="preview:opened").changes == {"assistant": "desk"}

    @pytest.mark.parametrize("case", ["no assistant", "suspended", "assistant of another tenant"])
    def test_where_there_is_nothing_to_see_it_says_so(self, console, case):
        tenant = register()
        give_assistant(register("Birch"), slug="desk")
        if case != "no assistant":
            give_assistant(tenant)
        if case == "suspended":
            suspend_tenant(tenant=tenant, actor=SYSTEM)
        chosen = {"assistant": "desk"} if case == "assistant of another tenant" else {}

        answer = console.post(reverse("tenant-preview", args=[tenant.pk]), chosen, follow=True)

        assert "nothing to preview" in answer.content.decode()
        assert not AuditEvent.objects.filter(action="preview:opened").exists()

    def test_it_is_for_staff_who_may_see_the_tenant_and_only_by_post(self, client, console, log_in):
        tenant = register()
        give_assistant(tenant)
        url = reverse("tenant-preview", args=[tenant.pk])
        clerk = User.objects.create_user("sam", "", PASSWORD, is_staff=True)

        assert "/admin/login/" in client.post(url).url
        assert log_in(clerk).post(url).status_code == 403
        assert console.get(url).status_code == 405
        clerk.user_permissions.add(Permission.objects.get(codename="view_tenant"))
        assert log_in(clerk).post(url).status_code == 200


@pytest.mark.django_db(transaction=True)
class TestThePage:
    def test_it_carries_the_snippet_with_the_ticket_under_a_policy_of_its_own(self, platform, shop):
        ticket = ticket_for(shop.tenant)

        answer = open_page(platform, shop.tenant, ticket)

        page = answer.body.decode()
        assert answer.status == 200
        assert f'data-tenant="{shop.public_id}" data-assistant="help" data-preview-ticket="{ticket}"' in page
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("ticket", ["expired", "forged", "of another tenant", ""])
    def test_without_a_fresh_ticket_it_says_what_to_do(self, platform, shop, ticket):
        texts = {
            "expired": ticket_for(shop.tenant, age=LIFETIME + 1),
            "forged": ticket_for(shop.tenant).rpartition(".")[0] + "." + "A" * 43,
            "of another tenant": ticket_for(register("Birch")),
            "": "",
        }

        answer = open_page(platform, shop.tenant, texts[ticket])

        assert answer.status == 403
        assert "Press “Preview” again" in answer.body.decode()
        assert "<script" not in answer.body.decode()

    def test_a_suspended_tenant_has_no_preview(self, platform, shop):
        suspend_tenant(tenant=shop.tenant, actor=SYSTEM)

        wait_for(lambda: open_page(platform, shop.tenant, ticket_for(shop.tenant)).status == 404)

    def test_it_stands_on_its_own_host_only_and_nothing_else_stands_there(self, platform, shop):
        ticket = ticket_for(shop.tenant)

        assert open_page(platform, shop.tenant, ticket, at="127.0.0.1").status == 404
        for path in ("/admin/login/", "/widget/v1/embed.js", "/livez", f"/api/v1/tenants/{shop.public_id}/widget/"):
            assert platform.request("GET", path, headers={"Host": host()}).status == 404, path

    def test_the_ticket_opens_the_configuration_for_the_previews_origin_and_assistant_only(self, platform, shop):
        give_assistant(shop.tenant, shop.key, slug="desk")
        path = f"/api/v1/tenants/{shop.public_id}/widget/"
        ticketed = {"X-Preview-Ticket": ticket_for(shop.tenant)}

        def code(headers, query=""):
            return platform.request("GET", path + query, headers=headers).code

        ours = {"Origin": settings.PREVIEW_ORIGIN}
        assert code({**ours, **ticketed}) == "granted"
        assert code(ours) == "origin_not_allowed"
        assert code({"Origin": "https://stranger.example", **ticketed}) == "origin_not_allowed"
        wait_for(lambda: code({**ours, **ticketed}, "?assistant=desk") == "origin_not_allowed")

    def test_the_preflight_of_a_preview_is_granted_the_tickets_header(self, platform, shop):
        headers = {
            "Origin": settings.PREVIEW_ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-preview-ticket",
        }

        answer = platform.request("OPTIONS", f"/api/v1/tenants/{shop.public_id}/widget/", headers=headers)

        assert answer.status == 204
        assert answer.headers["access-control-allow-headers"] == "x-preview-ticket"
        assert answer.headers["access-control-allow-origin"] == settings.PREVIEW_ORIGIN
