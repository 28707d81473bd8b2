"""What every test shares: append-only tables can be emptied between tests, and no missing part is passed over in silence."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.conf import settings

pytest_plugins = ["tests.proof.plugin"]

# By table, whether retention may prune it.
APPEND_ONLY = {"audit_auditevent": False, "sessions_api_sessionrequest": True, "chat_server_chatrun": True}


@pytest.fixture(autouse=True)
def _append_only_tables_can_be_emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests on real transactions empty every table afterwards; SQLite does that by DELETE, which the triggers refuse."""
    marker = request.node.get_closest_marker("django_db")
    transactional = (
        marker is not None and marker.kwargs.get("transaction")
    ) or "transactional_db" in request.fixturenames
    if not transactional:
        yield
        return
    request.getfixturevalue("_django_db_helper")
    from django.db import connection

    from audit.append_only import protect, unprotect

    for table, prunable in APPEND_ONLY.items():
        protect(connection, table, prunable=prunable)
    yield
    for table in APPEND_ONLY:
        unprotect(connection, table)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """A server that was stopped a moment ago may still hold a connection, and PostgreSQL drops no database that is in use."""
    yield
    from django.db import connection

    if connection.vendor == "postgresql":
        from tests.sessions_api.cast import kill_backends

        kill_backends()


def missing(part: str, cure: str) -> None:
    """Fails under CI, skips loudly elsewhere: a test that needs a part never passes without it."""
    sentence = f"{part} is missing. {cure}"
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("Chromium", "Install Debian's package `chromium`.")
    return str(path)


@pytest.fixture(scope="session")
def on_services() -> None:
    """The test needs PostgreSQL and Redis; `make test` runs the suite on them where they answer."""
    if not settings.REDIS_URL or "sqlite" in settings.DATABASES["default"]["ENGINE"]:
        pytest.skip("runs in the suite's second pass, on PostgreSQL and Redis")
