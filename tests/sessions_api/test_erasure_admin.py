"""Revoking and erasing in the console: by whom, after which words, and what the pages say of how far it is."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from console.groups import setup_groups
from console.reauthentication import GIVEN_AT
from sandbox.testing import Sandbox
from sessions_api.certificate import certificate_key, verify_certificate
from sessions_api.models import LiveSession, SessionRequest, VisitorErasure
from tenants.domains import allow_domain
from tenants.models import AllowedDomain, ApiKey, AssistantKey, Tenant
from tenants.states import start_deletion
from tests.key_health.cast import Customer
from tests.sessions_api.erasure_cast import come, visit, work
from tests.sessions_api.upstream_sessions import open_session
from tests.tenants.cast import give_key

pytestmark = pytest.mark.django_db(transaction=True)


def logged_in(client: Any, users: Any, group: str) -> Any:
    setup_groups(actor=SYSTEM)
    user = users.objects.create_user(group.split()[0].lower(), is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name=group))
    client.force_login(user)
    give_password(client)
    return client


def give_password(client: Any, *, minutes_ago: float = 0) -> None:
    session = client.session
    session[GIVEN_AT] = time.time() - 60 * minutes_ago
    session.save()


@pytest.fixture
def admin(client: Any, django_user_model: Any) -> Any:
    return logged_in(client, django_user_model, "Site admins")


@pytest.fixture
def operator(client: Any, django_user_model: Any) -> Any:
    return logged_in(client, django_user_model, "Operators")


def page(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def revoke_url(tenant: Tenant) -> str:
    return reverse("admin:sessions_api_livesession_revoke", args=[tenant.pk])


def erase_url(tenant: Tenant) -> str:
    return reverse("admin:sessions_api_visitorerasure_erase", args=[tenant.pk])


def test_an_admin_revokes_after_a_page_that_says_what_happens_and_sees_how_far_it_is(
    admin: Any, sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    for customer in (alder, alder, birch):
        open_session(sandbox, customer)

    asked = admin.get(revoke_url(alder.tenant))
    untouched = LiveSession.objects.filter(cancel_requested_at=None).count()
    answer = admin.post(revoke_url(alder.tenant))
    LiveSession.objects.filter(pk=LiveSession.objects.filter(tenant=alder.tenant).first().pk).update(
        cancelled_at=timezone.now()
    )
    shown = admin.get(page(alder.tenant)).content.decode()

    assert "2 sessions of Alder" in asked.content.decode()
    assert untouched == 3
    assert answer.url == page(alder.tenant) + "#sessions"
    assert LiveSession.objects.filter(cancel_requested_at=None).count() == 1
    assert "<td>revoked by an operator</td><td>2</td><td>1</td><td>1</td><td>0</td><td>0</td>" in shown
    event = AuditEvent.objects.get(action=Action.SESSIONS_REVOKED)
    assert (event.actor, event.changes) == ("site", {"sessions": 2})


def test_an_operator_sees_the_state_and_may_neither_revoke_nor_erase(
    operator: Any, sandbox: Sandbox, alder: Customer
) -> None:
    ann = come(alder)
    session = visit(sandbox, alder, ann)

    shown = operator.get(page(alder.tenant)).content.decode()
    live = operator.get(reverse("admin:sessions_api_livesession_change", args=[session.pk])).content.decode()

    assert "1 session may be in use just now" in shown
    assert "Revoke live sessions" not in shown
    assert "Erase" not in shown + live
    for url in (revoke_url(alder.tenant), erase_url(alder.tenant)):
        assert operator.get(url).status_code == 403
        assert operator.post(url).status_code == 403
    assert not VisitorErasure.objects.exists()


def test_a_visitor_is_erased_from_the_page_of_a_session_request(admin: Any, sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    visit(sandbox, alder, ann)
    row = SessionRequest.objects.get()
    link = f"{erase_url(alder.tenant)}?ref={ann.ref}"

    on_request = admin.get(reverse("admin:sessions_api_sessionrequest_change", args=[row.pk])).content.decode()
    on_session = admin.get(
        reverse("admin:sessions_api_livesession_change", args=[LiveSession.objects.get().pk])
    ).content.decode()
    form = admin.get(link).content.decode()
    answer = admin.post(link, {"ref": ann.ref, "subject": ""})
    erasure = VisitorErasure.objects.get()
    under_way = admin.get(answer.url).content.decode()
    listed = admin.get(reverse("admin:sessions_api_visitorerasure_changelist")).content.decode()
    work()
    done = admin.get(answer.url).content.decode()

    assert link in on_request
    assert link in on_session
    assert f'value="{ann.ref}"' in form
    assert "waits for 1 live sessions" in under_way
    assert "being erased" in listed
    assert "threads deleted" in done
    assert certificate_key() in done
    assert erasure.requested_by == "site"
    file = admin.get(reverse("admin:sessions_api_visitorerasure_certificate", args=[erasure.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="erasure-{erasure.pk}.json"'
    assert verify_certificate(file.content.decode(), public_key=certificate_key())["complete"]
    assert json.loads(file.content)["certificate"]["requested_by"] == "site"


def test_the_password_is_asked_again_before_a_visitor_is_erased(admin: Any, alder: Customer) -> None:
    ann = come(alder)
    give_password(admin, minutes_ago=6)

    asked = admin.get(erase_url(alder.tenant))
    refused = admin.post(erase_url(alder.tenant), {"ref": ann.ref})

    assert asked.url.startswith(reverse("reauthenticate"))
    assert refused.url.startswith(reverse("reauthenticate"))
    assert not VisitorErasure.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Fill in one of the two."),
        ({"ref": "a" * 32, "subject": "ann"}, "Fill in one of the two."),
        ({"ref": "a" * 32}, "erased already, or mistyped"),
    ],
)
def test_the_form_says_what_is_missing(admin: Any, alder: Customer, typed: dict[str, str], said: str) -> None:
    answer = admin.post(erase_url(alder.tenant), typed)

    assert said in answer.content.decode()
    assert not VisitorErasure.objects.exists()


def test_a_name_is_enough_and_stands_nowhere_afterwards(admin: Any, alder: Customer) -> None:
    answer = admin.post(erase_url(alder.tenant), {"subject": " ann@example.com "})

    assert answer.status_code == 302
    assert "ann@example.com" not in str(AuditEvent.objects.values()) + str(VisitorErasure.objects.values())


def test_of_a_tenant_that_is_being_deleted_nobody_is_erased_alone(admin: Any, alder: Customer) -> None:
    ann = come(alder)
    start_deletion(tenant=alder.tenant, actor=SYSTEM)

    answer = admin.post(erase_url(alder.tenant), {"ref": ann.ref})

    assert "erases all of its visitors" in answer.content.decode()
    assert "Erase a visitor" not in admin.get(page(alder.tenant)).content.decode()


def test_an_erasure_outlives_its_tenant_in_the_list(admin: Any, alder: Customer) -> None:
    erasure = VisitorErasure.objects.create(
        tenant=alder.tenant,
        requested_by="ada",
        started_at=timezone.now(),
        due_at=timezone.now(),
        finished_at=timezone.now(),
        by_key=[{"key": "old", "fingerprint": "f", "threads_deleted": 1, "not_reached": "invalid_key"}],
        certificate="{}",
    )
    Tenant.objects.all().delete()

    listed = admin.get(reverse("admin:sessions_api_visitorerasure_changelist"))
    shown = admin.get(reverse("admin:sessions_api_visitorerasure_change", args=[erasure.pk])).content.decode()

    assert listed.status_code == 200
    assert f"deleted: {erasure.tenant_id}" in shown
    assert "erased, but for what a key could not reach" in shown
    assert "old: invalid_key" in shown


def from_page(answer: Any) -> dict[str, str]:
    """What the tenant's form holds, as a browser would send it back."""
    context = answer.context
    fields: dict[str, str] = {}
    forms = [
        context["adminform"].form,
        *(row for each in context["inline_admin_formsets"] for row in each.formset.forms),
    ]
    forms += [each.formset.management_form for each in context["inline_admin_formsets"]]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is True:
                fields[bound.html_name] = "on"
            elif value not in (None, False, "") and not isinstance(value, list):
                fields[bound.html_name] = str(value)
    return fields


@pytest.mark.proof("T8")
def test_taking_a_website_off_the_list_in_the_console_marks_its_sessions_in_the_same_save(
    admin: Any, sandbox: Sandbox, alder: Customer
) -> None:
    for website in ("shop.example", "news.example"):
        allow_domain(tenant=alder.tenant, text=website, actor=SYSTEM)
    kept, lost = open_session(sandbox, alder), open_session(sandbox, alder)
    LiveSession.objects.filter(pk=kept.pk).update(origin="https://shop.example")
    LiveSession.objects.filter(pk=lost.pk).update(origin="https://news.example")
    form = from_page(admin.get(page(alder.tenant)))
    gone = AllowedDomain.objects.get(host="news.example")
    [place] = [name.split("-")[1] for name, value in form.items() if name.endswith("-id") and value == str(gone.pk)]

    answer = admin.post(page(alder.tenant), {**form, f"domains-{place}-DELETE": "on"})

    assert answer.status_code == 302
    assert not AllowedDomain.objects.filter(pk=gone.pk).exists()
    [marked] = LiveSession.objects.exclude(cancel_requested_at=None)
    assert (marked.pk, marked.cancel_reason) == (lost.pk, "origin_withdrawn")


@pytest.mark.proof("T8")
def test_taking_a_key_from_an_assistant_in_the_console_marks_the_sessions_of_that_pair(
    admin: Any, sandbox: Sandbox, alder: Customer
) -> None:
    second = give_key(alder.tenant, alder.secret, label="second")
    AssistantKey.objects.create(assistant=alder.assistant, key=second, position=2)
    kept, lost = open_session(sandbox, alder), open_session(sandbox, alder)
    LiveSession.objects.filter(pk=kept.pk).update(key=second)
    url = reverse("admin:tenants_assistant_change", args=[alder.assistant.pk])
    form = from_page(admin.get(url))
    [place] = [
        name.split("-")[1] for name, value in form.items() if name.endswith("-id") and value == str(alder.pair.pk)
    ]

    answer = admin.post(url, {**form, f"ranked_keys-{place}-DELETE": "on"})

    assert answer.status_code == 302
    assert ApiKey.objects.filter(pk=alder.key.pk).exists()
    [marked] = LiveSession.objects.exclude(cancel_requested_at=None)
    assert (marked.pk, marked.cancel_reason) == (lost.pk, "pair_removed")


def test_a_wave_that_is_past_is_gone_from_the_page(admin: Any, sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    LiveSession.objects.update(cancel_requested_at=timezone.now() - timedelta(minutes=1), cancel_reason="revoked")
    shown = admin.get(page(alder.tenant)).content.decode()
    LiveSession.objects.all().delete()

    assert "revoked by an operator" in shown
    assert "revoked by an operator" not in admin.get(page(alder.tenant)).content.decode()
