"""What the pages say to an operator who looks for the tenant that is broken."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from tenants.models import AssistantKey, Verdict
from tests.dashboards.ledger import a_key, a_request, a_tenant, an_assistant

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ALL_CLEAR = "Every checked key of every active tenant works"

pytestmark = pytest.mark.django_db


def operations(client: Client) -> str:
    return client.get("/admin/operations/").content.decode()


def test_a_tenant_without_a_usable_key_stands_there_with_the_cure_and_without_an_all_clear(
    admin_client: Client,
) -> None:
    tenant = a_tenant()
    key = a_key(tenant, verdict=Verdict.HEALTHY)
    an_assistant(tenant, key)
    assert ALL_CLEAR in operations(admin_client)
    type(key).objects.update(retired_at=NOW)

    page = operations(admin_client)

    assert ALL_CLEAR not in page
    assert '<span class="badge tone-bad">no usable key</span>' in page
    assert "Add a key on the tenant" in page
    assert '<span class="badge tone-idle">no key</span></td><td>1</td>' in page


def test_a_call_that_hung_is_not_called_not_asked(admin_client: Client) -> None:
    a_request(NOW, "upstream_unavailable", reason="deadline", upstream_ms=8001)
    a_request(NOW, "origin_not_allowed")
    a_request(NOW, upstream_ms=120, upstream_status=200)

    page = operations(admin_client)

    assert "no answer in 8001 ms" in page
    assert page.count("not asked") == 1
    assert "200 in 120 ms" in page


def test_a_request_id_stands_there_whole(admin_client: Client) -> None:
    a_request(NOW, request_id="0123456789abcdef" * 2)

    assert "0123456789abcdef" * 2 in operations(admin_client)


def test_the_tenants_page_says_of_each_pair_what_stands_in_its_way_first(admin_client: Client) -> None:
    tenant = a_tenant()
    retired = a_key(tenant, label="old", verdict=Verdict.HEALTHY, retired_at=NOW)
    refused = a_key(tenant, label="refused", verdict=Verdict.INVALID_KEY)
    well = a_key(tenant, label="well", verdict=Verdict.HEALTHY)
    an_assistant(tenant, retired, refused, well)
    AssistantKey.objects.filter(key=well).update(verdict=Verdict.WORKFLOW_MISSING)

    page = admin_client.get(f"/admin/tenants/tenant/{tenant.pk}/change/").content.decode()
    table = page.split('id="assistants-title"')[1].split("</table>")[0]

    assert '<div>old <span class="badge tone-idle">retired</span></div>' in table
    assert '<div>refused <span class="badge tone-bad">key refused</span></div>' in table
    assert '<div>well <span class="badge tone-bad">workflow not found</span></div>' in table
