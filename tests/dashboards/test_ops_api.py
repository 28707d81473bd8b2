from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from gateway.models import OpsScope, OpsToken
from gateway.ops_tokens import issue_ops_token, revoke_ops_token
from tenants.models import Verdict
from tests.dashboards.ledger import a_key, a_request, a_tenant, an_assistant

pytestmark = pytest.mark.django_db


def bearer(*scopes: str, **fields: Any) -> dict[str, str]:
    _token, text = issue_ops_token(label="grafana", scopes=list(scopes), actor=SYSTEM, **fields)
    return {"Authorization": f"Bearer {text}"}


def test_a_token_with_the_scope_reads_the_figures(client: Client) -> None:
    tenant = a_tenant()
    a_request(timezone.now(), tenant=tenant, upstream_ms=20)

    answer = client.get("/api/v1/ops/sessions/?range=1h&tenant=alder", headers=bearer(OpsScope.SESSIONS_READ))

    assert answer.status_code == 200
    assert answer.json()["totals"]["granted"] == 1
    assert answer.json()["latency"] == {"p50": 20, "p95": 20, "asked": 1}


def test_keys_are_named_by_label_and_last_four_only(client: Client) -> None:
    a_key(a_tenant(), verdict=Verdict.INVALID_KEY)

    answer = client.get("/api/v1/ops/keys/", headers=bearer(OpsScope.KEYS_READ))

    assert answer.json()["broken"][0]["key"] == "main (sk-…abcd)"
    assert b"not opened here" not in answer.content


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("sessions", OpsScope.KEYS_READ),
        ("usage", OpsScope.KEYS_READ),
        ("keys", OpsScope.SESSIONS_READ),
        ("tenants", OpsScope.METRICS_READ),
    ],
)
def test_a_token_without_the_scope_is_told_which_one_it_lacks(client: Client, path: str, scope: str) -> None:
    answer = client.get(f"/api/v1/ops/{path}/", headers=bearer(scope))

    assert answer.status_code == 403
    assert "lacks the scope" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ops_unknown", "Basic b3BzOg==", "Bearer a b", "Bearer \xff"]
)
def test_without_a_good_token_nothing_is_told(client: Client, authorization: str) -> None:
    answer = client.get("/api/v1/ops/tenants/", headers={"Authorization": authorization})

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in {"not_authenticated", "authentication_failed"}


def test_a_signed_in_admin_without_a_token_is_no_machine(admin_client: Client) -> None:
    assert admin_client.get("/api/v1/ops/tenants/").status_code == 401


def test_revoked_and_expired_tokens_are_refused(client: Client) -> None:
    expired = bearer(OpsScope.TENANTS_READ, expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get("/api/v1/ops/tenants/", headers=expired).status_code == 401

    OpsToken.objects.all().update(expires_at=None)
    assert client.get("/api/v1/ops/tenants/", headers=expired).status_code == 200

    revoke_ops_token(token=OpsToken.objects.get(), actor=SYSTEM)
    assert client.get("/api/v1/ops/tenants/", headers=expired).status_code == 401
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == [
        Action.OPS_TOKEN_CREATED,
        Action.OPS_TOKEN_REVOKED,
    ]


def test_a_wrong_query_is_explained(client: Client) -> None:
    answer = client.get("/api/v1/ops/sessions/?range=1y&tenant=nobody", headers=bearer(OpsScope.SESSIONS_READ))

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "query_invalid"
    assert "range" in answer.json()["error"]["message"]


def test_the_schema_is_for_staff_and_describes_only_the_api(client: Client, admin_client: Client) -> None:
    assert client.get("/api/v1/ops/schema/").status_code == 302

    schema = admin_client.get("/api/v1/ops/schema/?format=json").json()

    assert set(schema["paths"]) == {f"/api/v1/ops/{name}/" for name in ("keys", "sessions", "tenants", "usage")}
    assert schema["components"]["securitySchemes"]["opsToken"]["scheme"] == "bearer"


def test_the_docs_page_loads_nothing_from_elsewhere_and_nothing_inline(admin_client: Client) -> None:
    page = admin_client.get("/api/v1/ops/docs/").content.decode()

    assert "https://" not in page
    assert "<script>" not in page
    assert "<style" not in page
    assert "style=" not in page
    assert "dashboards/api_docs" in page


def test_the_root_lists_the_addresses_for_any_token(client: Client) -> None:
    answer = client.get("/api/v1/ops/", headers=bearer(OpsScope.METRICS_READ))

    assert [(each["url"], each["scope"]) for each in answer.json()["addresses"]] == [
        ("http://testserver/api/v1/ops/sessions/", "sessions:read"),
        ("http://testserver/api/v1/ops/usage/", "sessions:read"),
        ("http://testserver/api/v1/ops/keys/", "keys:read"),
        ("http://testserver/api/v1/ops/tenants/", "tenants:read"),
    ]
    assert client.get("/api/v1/ops/").status_code == 401


@pytest.mark.parametrize("path", ["nothing", "nothing/", "keys/1/", "keysx", "sessions.json"])
@pytest.mark.parametrize("method", ["get", "post", "options"])
def test_an_unknown_path_is_answered_in_the_one_error_shape(client: Client, method: str, path: str) -> None:
    answer = getattr(client, method)(f"/api/v1/ops/{path}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert set(answer.json()["error"]) == {"code", "message", "request_id", "retry_after"}


def test_an_address_that_lacks_its_slash_leads_to_the_one_that_has_it(client: Client) -> None:
    assert client.get("/api/v1/ops/keys").headers["Location"] == "/api/v1/ops/keys/"


def test_each_tenant_has_the_worst_state_of_its_keys_at_no_more_queries(
    client: Client, django_assert_num_queries: Any
) -> None:
    token = bearer(OpsScope.TENANTS_READ)
    alder = a_tenant("alder")
    a_key(alder, verdict=Verdict.HEALTHY)
    a_key(alder, label="b", verdict=Verdict.BILLING)
    a_key(a_tenant("birch"), verdict=Verdict.HEALTHY, retired_at=timezone.now())
    a_key(a_tenant("cedar"), verdict=Verdict.HEALTHY)

    # The token, keys, pairs, tenants, their domains and their assistants.
    with django_assert_num_queries(6):
        answer = client.get("/api/v1/ops/tenants/", headers=token)

    assert {each["slug"]: each["keys"] for each in answer.json()} == {
        "alder": "billing",
        "birch": "no_key",
        "cedar": "healthy",
    }


def test_a_tenant_without_a_usable_key_is_told_with_its_cure(client: Client) -> None:
    tenant = a_tenant()
    an_assistant(tenant, a_key(tenant, verdict=Verdict.HEALTHY, retired_at=timezone.now()))

    answer = client.get("/api/v1/ops/keys/", headers=bearer(OpsScope.KEYS_READ)).json()

    (broken,) = answer["broken"]
    assert (broken["tenant"], broken["verdict"], broken["key"]) == ("alder", "no_key", "")
    assert "Add a key" in broken["cure"]
    assert answer["tenants"] == [{"state": "no_key", "tenants": 1}]


def test_the_token_is_shown_once_in_the_console_and_kept_as_a_hash(admin_client: Client) -> None:
    session = admin_client.session
    session["password_given_at"] = timezone.now().timestamp()
    session.save()

    page = admin_client.post("/admin/gateway/opstoken/add/", {"label": "grafana", "scopes": [OpsScope.KEYS_READ]})

    text = page.content.decode().split('class="shown-once">')[1].split("<")[0]
    token = OpsToken.objects.get()
    assert text.startswith("ops_")
    assert text not in str(vars(token))
    assert "no-store" in page["Cache-Control"]
    assert admin_client.get("/api/v1/ops/keys/", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    assert text not in admin_client.get("/admin/gateway/opstoken/").content.decode()
