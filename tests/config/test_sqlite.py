"""The embedded database keeps what was answered, also when the power goes."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_a_commit_is_on_the_disk_before_it_is_answered():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL does so by itself")

    with connection.cursor() as cursor:
        kept = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}

    assert kept == {"journal_mode": "wal", "synchronous": 2}
