"""The ledger and the live sessions in the console: found by exact ids, explained in words, never written."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.record import SYSTEM
from console.groups import setup_groups
from sessions_api.models import LiveSession, SessionRequest
from tests.tenants.cast import give_key, register

pytestmark = pytest.mark.django_db

LIST = reverse("admin:sessions_api_sessionrequest_changelist")
LIVE = reverse("admin:sessions_api_livesession_changelist")
OURS, VISITOR, THEIRS = "a" * 32, "b" * 32, "req_0123456789"


def a_request(**fields):
    return SessionRequest.objects.create(**{"at": timezone.now(), "outcome": "granted", **fields})


def page_of(row):
    return reverse("admin:sessions_api_sessionrequest_change", args=[row.pk])


def shown(answer):
    return {row.pk for row in answer.context["cl"].result_list}


@pytest.fixture
def operator(client, django_user_model):
    setup_groups(actor=SYSTEM)
    user = django_user_model.objects.create_user("otto", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name="Operators"))
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("field", "value", "typed", "index"),
    [
        ("request_id", OURS, f" {OURS.upper()} ", "session_request_id"),
        ("visitor_ref", VISITOR, VISITOR, "session_request_visitor_at"),
        ("upstream_request_id", THEIRS, THEIRS, "session_request_upstream"),
        ("origin", "https://shop.example", "https://shop.example/", "session_request_origin_at"),
    ],
)
def test_a_row_is_found_by_each_of_its_names_and_by_an_index(operator, field, value, typed, index):
    row = a_request(**{field: value})
    a_request(**{field: value[:-1] + "0"})

    answer = operator.get(LIST, {"q": typed})

    assert shown(answer) == {row.pk}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of two rows it would rather read whole.
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in answer.context["cl"].queryset.explain()


def test_part_of_a_name_finds_nothing(operator):
    a_request(request_id=OURS, origin="https://shop.example")

    assert shown(operator.get(LIST, {"q": OURS[:10]})) == set()
    assert shown(operator.get(LIST, {"q": "shop"})) == set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"outcome": "granted"}, {"granted"}),
        ({"outcome": "refused"}, {"origin_not_allowed"}),
        ({"outcome": "failed"}, {"tenant_misconfigured"}),
        ({"outcome": "tenant_misconfigured"}, {"tenant_misconfigured"}),
        ({"at__lt": "2000-01-01 00:00:00+00:00"}, set()),
    ],
)
def test_rows_are_filtered_by_outcome_and_time(operator, query, expected):
    for outcome in ("granted", "origin_not_allowed", "tenant_misconfigured"):
        a_request(outcome=outcome)

    answer = operator.get(LIST, query)

    assert {row.outcome for row in answer.context["cl"].result_list} == expected


def test_rows_of_one_tenant_stay_when_it_is_gone(operator):
    tenant, gone = register(), uuid.uuid4()
    mine, orphan = a_request(tenant=tenant), a_request(tenant_id=gone)

    assert shown(operator.get(LIST, {"tenant": str(tenant.pk)})) == {mine.pk}
    assert shown(operator.get(LIST, {"tenant": str(gone)})) == {orphan.pk}
    assert f"deleted: {gone}" in operator.get(LIST).content.decode()


def test_a_refusal_says_what_the_page_was_told_and_what_the_operator_can_do(operator):
    key = give_key(register())
    row = a_request(
        tenant=key.tenant, key_id=key.pk, outcome="tenant_misconfigured", reason="billing", request_id=OURS,
        upstream_status=429, upstream_ms=81, upstream_request_id=THEIRS,
    )  # fmt: skip

    page = operator.get(page_of(row)).content.decode()

    assert "Why was this not granted?" in page
    assert "The chat is not set up correctly." in page
    assert "no budget left" in page
    assert reverse("admin:tenants_apikey_change", args=[key.pk]) in page
    assert THEIRS in page
    assert key.token not in page


def test_a_granted_request_explains_nothing(operator):
    page = operator.get(page_of(a_request(origin="https://shop.example"))).content.decode()

    assert "Why was this not granted?" not in page
    assert "https://shop.example" in page


@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_nothing_can_be_written(admin_client, page):
    row = a_request()
    address = reverse(f"admin:sessions_api_sessionrequest_{page}", args=[] if page == "add" else [row.pk])

    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    assert SessionRequest.objects.get().outcome == "granted"


def test_the_list_costs_few_queries_however_many_tenants(operator, django_assert_max_num_queries):
    for number in range(12):
        a_request(tenant=register(f"Tenant{number}"))

    with django_assert_max_num_queries(12):
        operator.get(LIST)


def test_live_sessions_say_how_far_their_cancelling_has_come(operator):
    key, now = give_key(register()), timezone.now()
    for offset, fields in (
        (300, {}),
        (300, {"cancel_requested_at": now}),
        (300, {"cancel_requested_at": now, "cancelled_at": now}),
        (-1, {}),
    ):
        LiveSession.objects.create(
            session_id=f"cksess_{uuid.uuid4().hex}", tenant=key.tenant, key=key, visitor_ref=VISITOR, granted_at=now,
            expires_at=now + timedelta(seconds=offset), **fields,
        )  # fmt: skip

    page = operator.get(LIVE, {"q": VISITOR}).content.decode()

    for state in ("may be in use", "being cancelled", "cancelled", "expired"):
        assert f">{state}</span>" in page


def test_the_operations_page_leads_to_the_row_and_to_the_whole_list(operator):
    tenant = register()
    row = a_request(tenant=tenant, outcome="origin_not_allowed", reason="origin_not_allowed", request_id=OURS)

    page = operator.get(reverse("operations"), {"tenant": tenant.slug}).content.decode()

    assert page_of(row) in page
    assert f"{LIST}?tenant={tenant.pk}" in page
    assert f"{LIST}?outcome=origin_not_allowed&amp;tenant={tenant.pk}" in page


def test_sessions_stand_among_what_an_operator_comes_for_first(admin_client):
    apps = [app["app_label"] for app in admin_client.get(reverse("admin:index")).context["app_list"]]

    assert apps.index("sessions_api") < apps.index("auth")
