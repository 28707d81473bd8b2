"""The console's page of the master keys: who may, the password again, pieces by the worker, progress without script."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import SYSTEM
from console.groups import setup_groups
from console.master_keys import advance_rewrap, request_rewrap
from console.reauthentication import GIVEN_AT
from console.tasks import rewrap
from encryption.models import RewrapRun, SiteSecret
from encryption.standing import rows_to_rewrap, standing
from tenants.models import ApiKey
from tests.console.conftest import PASSWORD
from tests.encryption.keys import ring
from tests.tenants.cast import give_key, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(settings: Any) -> int:
    settings.MASTER_KEYS = ring("old")
    SiteSecret.objects.all().delete()
    for name in ("Alder", "Birch"):
        give_key(register(name))
    settings.MASTER_KEYS = ring("new", "old")
    return rows_to_rewrap()


def page(console: Client) -> str:
    answer = console.get(reverse("master-keys"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_button_leaves_the_work_to_the_worker_and_the_page_shows_how_far_it_is(console: Client, rows: int) -> None:
    assert "Complete" not in page(console)

    console.post(reverse("master-keys"))
    waiting = page(console)
    advance_rewrap(seconds=0)
    rewrap()
    done = page(console)

    assert f"0 of {rows} rows moved" in waiting
    assert "<progress" in waiting
    assert 'http-equiv="refresh"' in waiting
    assert "Complete: every row stands under “new”" in done
    assert f"{rows} rows moved to “new”, 0 could not be opened, 0 were left" in done
    assert 'http-equiv="refresh"' not in done
    events = AuditEvent.objects.filter(action__startswith="master_keys:").order_by("seq")
    assert [(event.action, event.actor) for event in events] == [
        ("master_keys:rewrap_started", "ada"),
        ("master_keys:rewrap_ended", "ada"),
    ]


def test_a_password_given_too_long_ago_is_asked_for_again(console: Client, rows: int) -> None:
    session = console.session
    session[GIVEN_AT] = 0.0
    session.save()

    answer = console.post(reverse("master-keys"))

    assert answer.url.startswith(reverse("reauthenticate"))
    assert not RewrapRun.objects.exists()


def test_site_admins_may_and_operators_may_not(log_in: Callable[..., Client], rows: int) -> None:
    setup_groups(actor=SYSTEM)
    for name, status in (("Site admins", 200), ("Operators", 403), ("Auditors", 403)):
        person = get_user_model().objects.create_user(name[:4], password=PASSWORD, is_staff=True)
        person.groups.add(Group.objects.get(name=name))

        assert log_in(person).get(reverse("master-keys")).status_code == status


def test_asked_twice_it_runs_once(console: Client, rows: int) -> None:
    console.post(reverse("master-keys"))

    answer = console.post(reverse("master-keys"), follow=True)

    assert "under way already" in answer.content.decode()
    assert RewrapRun.objects.count() == 1


def test_a_claimed_run_is_left_alone_until_its_worker_is_surely_gone(rows: int) -> None:
    request_rewrap(actor=SYSTEM)
    RewrapRun.objects.update(claim="00000000-0000-0000-0000-000000000001", claimed_until=timezone.now() + timedelta(60))

    advance_rewrap()
    assert rows_to_rewrap() == rows
    RewrapRun.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    advance_rewrap()

    assert rows_to_rewrap() == 0
    assert not RewrapRun.objects.get().is_open


def test_a_worker_that_was_not_restarted_moves_nothing_back(settings: Any, console: Client, rows: int) -> None:
    console.post(reverse("master-keys"))
    settings.MASTER_KEYS = ring("old", "new")

    advance_rewrap()

    settings.MASTER_KEYS = ring("new", "old")
    assert rows_to_rewrap() == rows
    assert "restart the worker" in page(console)


def test_while_a_removed_key_is_in_use_nothing_is_called_complete(settings: Any, console: Client, rows: int) -> None:
    settings.MASTER_KEYS = ring("new")

    console.post(reverse("master-keys"))
    advance_rewrap()
    shown = page(console)

    assert "Complete" not in shown
    assert "need the master key “old”, which is not in MASTER_KEYS" in shown
    assert f"0 rows moved to “new”, {rows} could not be opened, {rows} were left" in shown
    assert f"tenants.ApiKey.token {ApiKey.objects.order_by('pk')[0].pk}" in shown
    assert standing().left == rows
