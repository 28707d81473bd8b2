"""One address that tries many names: axes' lock never falls, so the address itself is limited."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import MD5PasswordHasher
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent
from console.login_limit import FAILURES_PER_MINUTE, LoginAttempts, attempts
from tests.console.test_login_events import actions, try_login

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _within_one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.login_limit.time.time", lambda: 6_000_000_015.0)


def guess(times: int, *, address: str = "203.0.113.77", first: int = 0) -> list[int]:
    return [try_login(f"name-{first + number}", "wrong", address=address).status_code for number in range(times)]


@pytest.mark.proof("A8")
def test_many_names_from_one_address_are_refused_and_leave_one_event_for_all_the_rest(superuser, password):
    statuses = guess(FAILURES_PER_MINUTE + 30)

    assert statuses == [200] * FAILURES_PER_MINUTE + [429] * 30
    assert actions() == [Action.LOGIN_FAILED] * FAILURES_PER_MINUTE + [Action.LOGIN_LIMITED]
    assert AccessAttempt.objects.count() == FAILURES_PER_MINUTE
    event = AuditEvent.objects.get(action=Action.LOGIN_LIMITED)
    assert (event.subject, event.address) == ("203.0.113.0/24", "203.0.113.0/24")
    assert event.changes == {"attempts_per_minute": FAILURES_PER_MINUTE, "refused_in_the_minute_before": 0}


def test_beyond_the_limit_no_password_is_hashed_and_the_page_says_when_to_try_again(superuser, password, monkeypatch):
    guess(FAILURES_PER_MINUTE)
    hashed: list[str] = []
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, password, salt: hashed.append(password))

    refused = try_login("ada", password)

    assert (refused.status_code, refused["Retry-After"], refused["Cache-Control"]) == (429, "45", "no-store")
    assert "Try again in 45 seconds." in refused.content.decode()
    assert hashed == []


@pytest.mark.parametrize(
    ("guesser", "neighbour", "status"),
    [
        ("203.0.113.77", "203.0.113.78", 302),
        ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", 429),
        ("2001:db8:1:1::1", "2001:db8:1:2::1", 302),
    ],
)
def test_it_is_the_address_or_the_64_that_is_limited(superuser, password, guesser, neighbour, status):
    guess(FAILURES_PER_MINUTE, address=guesser)

    assert try_login("ada", password, address=neighbour).status_code == status


def test_the_next_minute_begins_anew_and_its_event_counts_what_was_refused_before(superuser, password, monkeypatch):
    guess(FAILURES_PER_MINUTE + 7)
    monkeypatch.setattr("console.login_limit.time.time", lambda: 6_000_000_075.0)

    again = guess(FAILURES_PER_MINUTE + 1, first=100)

    assert again == [200] * FAILURES_PER_MINUTE + [429]
    last = AuditEvent.objects.order_by("seq").last()
    assert last.action == Action.LOGIN_LIMITED
    assert last.changes["refused_in_the_minute_before"] == 7


def test_right_passwords_are_not_counted(superuser, password):
    statuses = [try_login("ada", password).status_code for _ in range(FAILURES_PER_MINUTE + 5)]

    assert set(statuses) == {302}


def test_looking_at_the_page_is_never_limited(client, superuser):
    guess(FAILURES_PER_MINUTE + 1)

    assert client.get(reverse("admin:login"), REMOTE_ADDR="203.0.113.77").status_code == 200


def test_attempts_at_once_are_all_counted():
    counted = LoginAttempts()

    with ThreadPoolExecutor(16) as threads:
        numbers = list(threads.map(lambda _: counted.take("192.0.2.1", minute=1), range(400)))

    assert sorted(numbers) == list(range(1, 401))


def test_networks_of_past_minutes_are_forgotten():
    for minute in range(1, 4):
        attempts.take(f"192.0.2.{minute}", minute=minute)

    assert set(attempts._now) | set(attempts._before) == {"192.0.2.2", "192.0.2.3"}
