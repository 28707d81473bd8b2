import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def try_login(username: str, password: str, *, client: Client | None = None, address: str = "203.0.113.77"):
    client = client or Client()
    return client.post(reverse("admin:login"), {"username": username, "password": password}, REMOTE_ADDR=address)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


@pytest.mark.proof("A8")
def test_a_login_is_an_event_with_the_person_and_a_truncated_address(superuser, password):
    try_login("ada", password)

    event = AuditEvent.objects.get()
    assert event.action == Action.LOGIN_SUCCEEDED
    assert (event.actor, event.actor_id) == ("ada", str(superuser.pk))
    assert event.address == "203.0.113.0/24"


@pytest.mark.proof("A8")
def test_a_failed_login_names_whom_was_tried_and_never_the_password(superuser):
    try_login("ada", "hunter2-hunter2")

    event = AuditEvent.objects.get()
    assert event.action == Action.LOGIN_FAILED
    assert (event.actor, event.subject) == ("anonymous", "ada")
    assert "hunter2" not in repr(vars(event))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("eve\r\nFAKE LOG LINE", "eve��FAKE LOG LINE"),
        ("\x1b[31mred", "�[31mred"),
        ("evil\u202egnp", "evil�gnp"),
        ("x" * 8192, "x" * 64),
        ("", None),
    ],
)
def test_a_typed_name_is_cut_and_printable(typed, kept):
    try_login(typed, "wrong")

    if kept is None:
        assert actions() == []
    else:
        assert AuditEvent.objects.get().subject == kept


def test_a_name_with_a_nul_is_refused_by_the_form_and_breaks_nothing():
    answer = try_login("eve\x00", "wrong")

    assert answer.status_code == 200


@pytest.mark.proof("A8")
def test_a_logout_is_an_event(console):
    console.post(reverse("admin:logout"))

    assert actions() == [Action.LOGIN_SUCCEEDED, Action.LOGGED_OUT]


@pytest.mark.proof("A8")
def test_five_wrong_passwords_lock_the_name_from_that_network_and_the_lock_is_one_event(superuser, password):
    answers = [try_login("ada", "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT + 3)]
    locked = try_login("ada", password)

    assert answers == [200] * 4 + [429] * 4
    assert locked.status_code == 429
    assert sorted(actions()) == [Action.LOGIN_FAILED] * 5 + [Action.LOGIN_LOCKED]
    assert "The lock opens by itself 15 minutes after the last wrong password." in locked.content.decode()


def test_a_lock_holds_for_the_network_and_for_nobody_elsewhere(superuser, password):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        try_login("ada", "wrong", address="2001:db8:1::1")

    neighbour = try_login("ada", password, address="2001:db8:1:ffff::2")
    elsewhere = try_login("ada", password, address="198.51.100.9")

    assert neighbour.status_code == 429
    assert elsewhere.status_code == 302


def test_neither_axes_nor_the_audit_keeps_a_full_address_or_a_password(superuser):
    try_login("ada", "hunter2-hunter2", address="198.51.100.23")

    kept = repr([vars(row) for row in (*AccessAttempt.objects.all(), *AuditEvent.objects.all())])
    assert "198.51.100.0" in kept
    assert "198.51.100.23" not in kept
    assert "hunter2" not in kept


def test_a_right_password_forgives_the_wrong_ones_before(superuser, password):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        try_login("ada", "wrong")

    try_login("ada", password)

    assert not AccessAttempt.objects.exists()


@pytest.mark.proof("A8")
def test_a_login_that_cannot_be_recorded_does_not_happen(superuser, password):
    from audit.models import ChainHead

    ChainHead.objects.all().delete()
    client = Client(raise_request_exception=False)

    answer = try_login("ada", password, client=client)

    assert answer.status_code == 500
    assert client.get(reverse("admin:index")).status_code == 302
