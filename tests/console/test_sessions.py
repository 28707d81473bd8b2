import time

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent
from console.sessions import OPENED_AT, SEEN_AT

pytestmark = pytest.mark.django_db

IDLE = settings.SESSION_IDLE_LIMIT.total_seconds()
ABSOLUTE = settings.SESSION_ABSOLUTE_LIMIT.total_seconds()


def age(client, **seconds_ago: float) -> None:
    session = client.session
    for name, seconds in seconds_ago.items():
        session[name] = time.time() - seconds
    session.save()


def is_logged_in(client) -> bool:
    return client.get(reverse("admin:index")).status_code == 200


def test_a_session_ends_after_the_idle_limit_says_so_and_is_audited(console):
    age(console, **{SEEN_AT: IDLE})

    answer = console.get(reverse("admin:index"), follow=True)

    assert answer.redirect_chain[0][0].startswith(reverse("admin:login"))
    assert "Your session was ended because nothing had happened for 30 minutes." in answer.content.decode()
    event = AuditEvent.objects.first()
    assert event.action == Action.LOGGED_OUT
    assert event.actor == "ada"
    assert "nothing had happened" in event.changes["reason"]


def test_a_session_ends_after_the_absolute_limit_however_busy_it_is(console):
    age(console, **{OPENED_AT: ABSOLUTE, SEEN_AT: 1})

    answer = console.get(reverse("admin:index"), follow=True)

    assert "Your session was ended because it had lasted 12 hours." in answer.content.decode()


def test_activity_within_the_idle_limit_keeps_the_session_and_starts_the_limit_anew(console):
    age(console, **{SEEN_AT: IDLE - 5})

    assert is_logged_in(console)

    assert time.time() - console.session[SEEN_AT] < 5


def test_a_form_sent_with_an_ended_session_changes_nothing_and_the_person_is_told(console, superuser):
    age(console, **{SEEN_AT: IDLE})

    answer = console.post(reverse("admin:auth_user_change", args=[superuser.pk]), {"username": "eve"}, follow=True)

    superuser.refresh_from_db()
    assert superuser.username == "ada"
    assert "What you sent was not saved." in answer.content.decode()


def test_a_session_without_a_beginning_ends(console):
    session = console.session
    del session[OPENED_AT]
    session.save()

    assert not is_logged_in(console)


def test_a_login_gives_the_session_a_new_key(superuser, log_in):
    client = Client()
    client.get(reverse("admin:login"))
    session = client.session
    session["planted"] = "by whoever knew the key before"
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    key_before = session.session_key

    log_in(superuser, client=client)

    assert client.session.session_key != key_before


def test_a_changed_password_ends_the_other_sessions_of_that_person(superuser, log_in, password):
    here, elsewhere = log_in(superuser), log_in(superuser)
    new = "another sentence that nobody guesses"

    here.post(reverse("admin:password_change"), {"old_password": password, "new_password1": new, "new_password2": new})

    assert is_logged_in(here)
    assert not is_logged_in(elsewhere)


def test_the_cookies_are_host_bound_secure_and_out_of_reach_of_scripts_in_production():
    # The suite runs on plain http; production's values are read from a process of its own in tests/architecture.
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
