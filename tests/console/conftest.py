"""People of the console, and a client that logs in through the form, as a browser does."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from console.login_limit import attempts

PASSWORD = "a long sentence that nobody guesses"


@pytest.fixture(autouse=True)
def _no_attempts_before() -> Iterator[None]:
    """The limit by address is kept in the process, and all tests come from a few addresses."""
    attempts.forget()
    yield
    attempts.forget()


@pytest.fixture
def password() -> str:
    return PASSWORD


@pytest.fixture
def superuser(db):
    return get_user_model().objects.create_superuser("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def log_in() -> Callable[..., Client]:
    def log_in(user, *, client: Client | None = None) -> Client:
        client = client or Client()
        answer = client.post(reverse("admin:login"), {"username": user.get_username(), "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return log_in


@pytest.fixture
def console(superuser, log_in) -> Client:
    """A superuser who logged in just now."""
    return log_in(superuser)
