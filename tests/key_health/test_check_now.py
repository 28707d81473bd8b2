"""“Check now” in the console, and `manage.py check_keys` on the command line."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from key_health.check import check_due
from key_health.models import CheckPlan, KeyCheck
from sandbox.testing import Sandbox
from tenants.models import Verdict
from tenants.states import suspend_tenant
from tests.key_health.cast import Customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(transactional_db: None) -> User:
    return User.objects.create_user("olga", password="correct horse", is_staff=True)


def press(user: User | None, customer: Customer, **data: Any) -> Any:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client.post(reverse("check-key", args=[customer.key.pk]), data)


def allowed(user: User) -> User:
    user.user_permissions.add(Permission.objects.get(codename="change_apikey"))
    return user


def test_the_button_makes_every_check_of_the_key_due_says_so_and_is_audited(alder: Customer, staff: User) -> None:
    check_due()

    answer = press(allowed(staff), alder)

    assert answer.status_code == 302
    assert answer.url == reverse("admin:tenants_tenant_change", args=[alder.tenant.pk])
    assert "is queued; reload" in str(next(iter(get_messages(answer.wsgi_request))))
    event = AuditEvent.objects.filter(action=Action.KEY_CHECK_REQUESTED).get()
    assert (event.actor, event.subject_id) == ("olga", str(alder.key.pk))
    assert check_due() == 2


def test_a_person_without_the_permission_is_refused(alder: Customer, staff: User) -> None:
    answer = press(staff, alder)

    assert answer.status_code == 403
    assert not AuditEvent.objects.filter(action=Action.KEY_CHECK_REQUESTED).exists()


def test_a_stranger_is_sent_to_the_log_in(alder: Customer) -> None:
    answer = press(None, alder)

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("admin:login"))


def test_looking_at_the_address_does_nothing(alder: Customer, staff: User) -> None:
    client = Client()
    client.force_login(allowed(staff))

    assert client.get(reverse("check-key", args=[alder.key.pk])).status_code == 405


def test_it_goes_back_to_a_page_of_ours_and_to_no_other(alder: Customer, staff: User) -> None:
    user = allowed(staff)
    ours = reverse("admin:index") + "?from=list"

    assert press(user, alder, next=ours).url == ours
    assert press(user, alder, next="https://evil.example/").url == reverse("admin:index")


def test_a_suspended_tenant_is_said_not_to_be_checked(alder: Customer, staff: User) -> None:
    suspend_tenant(tenant=alder.tenant, actor=SYSTEM)

    answer = press(allowed(staff), alder)

    assert "is not checked" in str(next(iter(get_messages(answer.wsgi_request))))


def test_the_command_checks_one_tenant_here_and_prints_what_it_found(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    out = StringIO()

    call_command("check_keys", tenant="alder", stdout=out)

    assert alder.verdict == Verdict.HEALTHY
    assert birch.verdict == Verdict.UNCHECKED
    assert out.getvalue().count("healthy") == 2
    assert alder.secret not in out.getvalue()


def test_the_command_says_the_cure_and_fails_where_a_key_is_dead(sandbox: Sandbox, alder: Customer) -> None:
    sandbox.set_key(alder.secret, "invalid")
    out = StringIO()

    with pytest.raises(SystemExit) as failed:
        call_command("check_keys", stdout=out)

    assert failed.value.code == 1
    assert "Make a new key" in out.getvalue()
    assert KeyCheck.objects.count() == CheckPlan.objects.count() == 2


def test_the_command_names_the_cure_for_a_slug_that_nobody_has(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="No tenant has the slug “oak”"):
        call_command("check_keys", tenant="oak")
