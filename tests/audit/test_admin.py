import uuid

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from audit.actions import Action
from audit.append_only import protect, unprotect
from audit.models import AuditEvent
from audit.record import Actor
from audit.rows import ChangeRow, change_rows

pytestmark = pytest.mark.django_db

LIST = "admin:audit_auditevent_changelist"


def shown(answer) -> list[str]:
    return [event.subject for event in answer.context["cl"].result_list]


def test_the_list_shows_the_newest_first(as_auditor, append):
    append("first")
    append("second")

    answer = as_auditor.get(reverse(LIST), {"what": "tenant"})

    assert shown(answer) == ["second", "first"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"what": "tenant"}, ["changed", "made"]),
        ({"what": "tenant:created"}, ["made"]),
        ({"what": "ten"}, []),
        ({"who": "grace"}, ["key"]),
        ({"tenant": "11111111-1111-1111-1111-111111111111"}, ["key", "made"]),
        ({"tenant": "not-a-uuid", "what": "tenant:created"}, ["made"]),
        ({"q": "KEY"}, ["key"]),
        ({"q": "req-77"}, ["key"]),
        ({"at__gte": "2000-01-01 00:00:00+00:00", "what": "key"}, ["key"]),
        ({"at__lt": "2000-01-01 00:00:00+00:00"}, []),
    ],
)
def test_filters_and_search(as_auditor, append, query, expected):
    tenant = uuid.UUID("11111111-1111-1111-1111-111111111111")
    append("made", action=Action.TENANT_CREATED, tenant_id=tenant, tenant_name="Harbour Books")
    append("changed", action=Action.TENANT_CHANGED)
    append("key", action=Action.KEY_ADDED, actor=Actor("grace", "2", "", "req-77"), tenant_id=tenant)

    assert shown(as_auditor.get(reverse(LIST), query)) == expected


def test_the_page_of_an_event_shows_who_what_where_and_that_its_link_holds(as_auditor, append):
    append()
    event = append(
        "Support desk",
        actor=Actor("ada", "1", "203.0.113.0/24", "req-1"),
        tenant_name="Harbour Books",
        tenant_id=uuid.uuid4(),
        changes={"fields": ["accent", "greeting"], "values": {"greeting": {"old": "Hello", "new": "Moin <b>"}}},
    )

    page = as_auditor.get(reverse("admin:audit_auditevent_change", args=[event.pk])).content.decode()

    for text in ("tenant:changed", "Support desk", "Harbour Books", "ada", "203.0.113.0/24", "req-1", "Hello"):
        assert text in page
    assert "Moin &lt;b&gt;" in page
    assert "changed; its values aren't kept" in page
    assert "badge-holds" in page
    assert event.hash in page


@pytest.mark.django_db(transaction=True)
def test_the_page_of_an_altered_event_says_that_its_link_is_broken(as_auditor, append):
    from django.db import connection

    event = append()
    unprotect(connection, "audit_auditevent")
    AuditEvent.objects.filter(pk=event.pk).update(actor="eve")
    protect(connection, "audit_auditevent")

    page = as_auditor.get(reverse("admin:audit_auditevent_change", args=[event.pk])).content.decode()

    assert "badge-broken" in page
    assert "The event was changed after it was written" in page


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["add", "change", "delete"])
def test_nobody_adds_changes_or_deletes_events_not_even_a_superuser(client, append, page, method):
    event = append()
    client.force_login(get_user_model().objects.create_superuser("root"))
    address = reverse(f"admin:audit_auditevent_{page}", args=[] if page == "add" else [event.pk])

    answer = getattr(client, method)(address, {"actor": "eve", "post": "yes"})

    assert answer.status_code == (200 if (page, method) == ("change", "get") else 403)
    assert AuditEvent.objects.get(pk=event.pk).actor == "system"


def test_a_huge_list_is_not_counted_to_its_end(append):
    from django.contrib import admin

    from audit.read_only import CappedPaginator

    append()
    page = admin.site._registry[AuditEvent]

    assert page.paginator is CappedPaginator
    assert page.show_full_result_count is False
    assert CappedPaginator(AuditEvent.objects.all(), 50).count == 1


def test_the_list_costs_few_queries(as_auditor, append, django_assert_max_num_queries):
    for number in range(60):
        append(str(number))

    with django_assert_max_num_queries(10):
        as_auditor.get(reverse(LIST))


def test_somebody_without_the_permission_sees_no_audit(client, append):
    client.force_login(get_user_model().objects.create_user("clerk", is_staff=True))

    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(reverse("admin:audit_auditevent_export", args=["csv"])).status_code == 403


def test_changes_read_as_rows():
    rows = change_rows(
        {
            "fields": ["groups", "api_key", "state"],
            "values": {"groups": {"added": ["a", "b"], "removed": ["c"]}, "state": {"old": True, "new": ""}},
            "key_fingerprint": "3f9a",
        }
    )

    assert rows == [
        ChangeRow("api_key", kept=False),
        ChangeRow("groups", old="c", new="a, b"),
        ChangeRow("state", old="yes", new="empty"),
        ChangeRow("key fingerprint", new="3f9a"),
    ]
