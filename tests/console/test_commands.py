"""What is done to people on the command line is an audit event, in the transaction of the change."""

import io
from getpass import getuser

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, get_commands
from django.db import connection

from audit.actions import Action
from audit.models import AuditEvent, ChainHead
from tests.console.test_login_events import try_login

pytestmark = pytest.mark.django_db

AUDITED = ["createsuperuser", "changepassword", "axes_reset", "axes_reset_ip", "axes_reset_username"]
NEW_PASSWORD = "another sentence nobody guesses"


def call(name: str, *args: str, **options: object) -> str:
    written = io.StringIO()
    call_command(name, *args, stdout=written, **options)
    return written.getvalue()


@pytest.fixture
def typed(monkeypatch):
    """What a person types at the prompts; and whether a transaction was open meanwhile."""
    answers: list[str] = []
    in_transaction: list[bool] = []

    def ask(*_args: object, **_kwargs: object) -> str:
        in_transaction.append(connection.in_atomic_block)
        return answers.pop(0)

    monkeypatch.setattr("getpass.getpass", ask)
    answers.extend([NEW_PASSWORD, NEW_PASSWORD])
    return in_transaction


@pytest.mark.parametrize("name", [*AUDITED, "axes_reset_ip_username", "migrate"])
def test_ours_win_over_those_of_django_and_axes(name):
    assert get_commands()[name] == "console"


@pytest.mark.proof("A8")
def test_a_superuser_made_by_the_command_is_an_event(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW_PASSWORD)

    call("createsuperuser", "--noinput", "--username", "grace", "--email", "grace@example.com")

    user = get_user_model().objects.get()
    event = AuditEvent.objects.get()
    assert user.is_superuser
    assert user.check_password(NEW_PASSWORD)
    assert (event.action, event.actor, event.subject) == (Action.USER_CREATED, "system", "grace")
    assert event.subject_id == str(user.pk)
    assert event.changes == {"fields": ["is_staff", "is_superuser", "username"], "via": "manage.py createsuperuser"}


@pytest.mark.proof("A8")
def test_a_password_changed_by_the_command_is_an_event(superuser, typed):
    call("changepassword", "ada")

    superuser.refresh_from_db()
    event = AuditEvent.objects.get()
    assert superuser.check_password(NEW_PASSWORD)
    assert (event.action, event.actor, event.subject) == (Action.PASSWORD_CHANGED, "system", "ada")
    assert NEW_PASSWORD not in repr(vars(event))


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_somebody_thinks_of_a_password(superuser, typed):
    call("changepassword", "ada")

    assert typed == [False, False]


@pytest.mark.proof("A8")
@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_recorded_does_not_happen(superuser, password, typed, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW_PASSWORD)
    ChainHead.objects.all().delete()

    for name, args in (
        ("createsuperuser", ["--noinput", "--username", "grace", "--email", "g@example.com"]),
        ("changepassword", ["ada"]),
    ):
        with pytest.raises(ChainHead.DoesNotExist):
            call(name, *args)

    superuser.refresh_from_db()
    assert superuser.check_password(password)
    assert get_user_model().objects.count() == 1


def test_a_command_that_changes_nothing_records_nothing(superuser):
    with pytest.raises(CommandError, match="does not exist"):
        call("changepassword", f"nobody-{getuser()}")

    assert not AuditEvent.objects.exists()


def test_users_are_saved_as_ever_when_the_command_is_done(superuser, typed):
    call("changepassword", "ada")
    superuser.first_name = "Ada"

    superuser.save()

    assert AuditEvent.objects.count() == 1


@pytest.mark.proof("A8")
@pytest.mark.parametrize(
    ("name", "args", "subject", "networks"),
    [
        ("axes_reset", [], "everybody", "all"),
        ("axes_reset_username", ["ada"], "ada", "all"),
        ("axes_reset_ip", ["203.0.113.0"], "everybody", ["203.0.113.0/24"]),
        ("axes_reset_ip_username", ["203.0.113.0", "ada"], "ada", ["203.0.113.0/24"]),
    ],
)
def test_a_lock_that_is_opened_is_an_event(superuser, name, args, subject, networks):
    try_login("ada", "wrong")

    said = call(name, *args)

    event = AuditEvent.objects.order_by("seq").last()
    assert "1 attempts removed." in said
    assert not AccessAttempt.objects.exists()
    assert (event.action, event.actor, event.subject) == (Action.LOGIN_UNLOCKED, "system", subject)
    assert event.changes == {"networks": networks}


def test_migrate_has_no_deadline_for_a_statement_and_requests_have():
    if connection.vendor != "postgresql":
        pytest.skip("runs in the suite's second pass, on PostgreSQL and Redis")
    seen: dict[str, str] = {}

    def look(execute, sql, params, many, context):
        if not seen and "django_migrations" in sql:
            seen.update(dict.fromkeys(("statement_timeout", "lock_timeout"), ""))
            seen.update({name: timeout(name) for name in seen})
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        call_command("migrate", verbosity=0)

    assert seen == {"statement_timeout": "0", "lock_timeout": "5s"}
    assert timeout("statement_timeout") == "15s"


def timeout(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]
