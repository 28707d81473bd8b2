"""Rows move under the primary master key while others write; what can't be moved is named; nothing is complete too early."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from audit.models import AuditEvent
from audit.record import SYSTEM
from encryption.models import SiteSecret
from encryption.providers import get_keyring
from encryption.registry import SealedColumn, sealed_columns
from encryption.rotation import Progress, rewrap_batch, rewrap_rows, verify_rows
from encryption.secret import Secret
from encryption.standing import note_seen_keys, rows_to_rewrap, standing
from encryption.vault import Binding, open_token, seal, token_prefix
from tenants.keys import open_key, replace_key
from tenants.models import ApiKey, ConfigEpoch, ReplacedKey, Tenant
from tests.encryption.keys import ring
from tests.tenants.cast import give_key, key_text, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(settings: Any) -> dict[str, str]:
    """Three tenants with a key each, sealed under “old”, which is primary no more; the texts by the keys' ids."""
    settings.MASTER_KEYS = ring("old")
    SiteSecret.objects.all().delete()
    texts = {}
    for name in ("Alder", "Birch", "Cedar"):
        text = key_text()
        texts[str(give_key(register(name), text).pk)] = text
    settings.MASTER_KEYS = ring("new", "old")
    return texts


def command(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `manage.py master_keys …`."""
    out, err = StringIO(), StringIO()
    try:
        call_command("master_keys", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_every_row_of_every_column_moves_and_opens_as_before(settings: Any, rows: dict[str, str]) -> None:
    replaced = ApiKey.objects.get(label="production", tenant__name="Alder")
    settings.MASTER_KEYS = ring("old", "new")
    rows[str(replaced.pk)] = text = key_text()
    replace_key(key=replaced, plaintext=Secret(text), actor=SYSTEM)
    settings.MASTER_KEYS = ring("new", "old")
    before = rows_to_rewrap()

    progress = rewrap_rows(batch=2)

    assert (progress.rewrapped, progress.lost, progress.failures, progress.is_through) == (before, 0, {}, True)
    assert ReplacedKey.objects.get().token.startswith(token_prefix("new"))
    assert standing().is_complete
    settings.MASTER_KEYS = ring("new")
    assert {str(key.pk): open_key(key).reveal() for key in ApiKey.objects.all()} == rows
    assert verify_rows() == (before, [])


def test_no_process_reads_its_configuration_anew(rows: dict[str, str]) -> None:
    before = ConfigEpoch.current()

    rewrap_rows()

    assert ConfigEpoch.current() == before


def test_a_second_run_finds_nothing_to_do(rows: dict[str, str]) -> None:
    rewrap_rows()
    tokens = list(Tenant.objects.order_by("pk").values_list("user_scope_token", flat=True))

    again = rewrap_rows()

    assert (again.rewrapped, again.is_through) == (0, True)
    assert list(Tenant.objects.order_by("pk").values_list("user_scope_token", flat=True)) == tokens


def test_a_run_with_too_little_time_goes_on_where_it_was(rows: dict[str, str]) -> None:
    column = next(column for column in sealed_columns() if column.model is ApiKey)
    progress = Progress()

    last = rewrap_batch(column, progress, after=None, batch=2)

    assert (progress.rewrapped, standing().count("new")) == (2, 2)
    assert rewrap_batch(column, progress, after=last, batch=2) is not None
    assert progress.rewrapped == 3
    assert not rewrap_rows(seconds=0).is_through
    assert rewrap_rows().is_through


def test_an_edit_between_reading_and_writing_is_not_lost(rows: dict[str, str]) -> None:
    """The swap looks at the token again: databases that lock no rows, and edits that go round the lock, lose nothing."""
    key, column = ApiKey.objects.order_by("pk")[0], column_of(ApiKey)
    edited = seal("edited meanwhile", column.binding_of(key))

    def edit_first(row: ApiKey) -> Binding:
        if row.pk == key.pk:
            ApiKey.objects.filter(pk=key.pk).update(token=edited)
        return column.binding_of(row)

    progress = Progress()
    rewrap_batch(SealedColumn(ApiKey, "token", edit_first), progress, after=None, batch=10)

    assert (progress.rewrapped, progress.lost) == (2, 1)
    assert ApiKey.objects.get(pk=key.pk).token == edited


def column_of(model: Any) -> Any:
    return next(column for column in sealed_columns() if column.model is model)


def test_a_row_that_was_altered_is_named_and_the_others_move(rows: dict[str, str]) -> None:
    first, second = ApiKey.objects.order_by("pk")[:2]
    ApiKey.objects.filter(pk=first.pk).update(token=second.token)

    code, out, err = command("rewrap")

    assert code == 1
    assert f"tenants.ApiKey.token {first.pk}: the row was altered or moved" in err
    assert "1 rows stand under another key than “new”" in err
    assert "Every row" not in out
    assert second.token.split(".")[3] not in out + err
    assert standing().count("old") == 1


def test_a_missing_key_is_named_with_its_cure_and_nothing_is_complete(settings: Any, rows: dict[str, str]) -> None:
    settings.MASTER_KEYS = ring("new")

    code, out, err = command("status")
    assert code == 1
    assert "MISSING" in out
    assert "need the master key “old”, which is not in MASTER_KEYS. Put it back at the end" in out
    code, out, err = command("rewrap")
    assert code == 1
    assert "Every row" not in out
    for pk in rows:
        assert f"tenants.ApiKey.token {pk}: its master key “old” is not in MASTER_KEYS" in err
    assert command("rewrap", "--check")[0] == 1


def test_what_is_no_token_is_named_without_its_content(rows: dict[str, str]) -> None:
    key = ApiKey.objects.order_by("pk")[0]
    ApiKey.objects.filter(pk=key.pk).update(token="typed by somebody")

    code, out, err = command("verify")

    assert code == 1
    assert f"tenants.ApiKey.token {key.pk}: this is no token of the vault" in err
    assert "typed" not in out + err
    assert "1 do not." in out
    assert command("status")[0] == 1


def test_the_check_before_a_key_is_removed(rows: dict[str, str]) -> None:
    assert command("rewrap", "--check")[0] == 1
    assert standing().count("new") == 0

    assert command("rewrap", "--batch", "2")[0] == 0

    assert command("rewrap", "--check") == (0, "Every row stands under “new”.\n", "")


def test_status_for_people_and_programs(rows: dict[str, str]) -> None:
    note_seen_keys()
    code, out, _ = command("status", "--json")
    said = json.loads(out)

    assert code == 0
    assert (said["primary"], said["complete"], said["left"]) == ("new", False, standing().left)
    old = next(key for key in said["keys"] if key["id"] == "old")
    assert (old["state"], old["columns"]["tenants.ApiKey.token"]) == ("in use", 3)
    assert old["first_seen_at"] is not None
    table = command("status")[1]
    assert "tenants.Tenant.user_scope_token" in table
    assert "0 days" in table
    rewrap_rows()
    assert "not in use" in command("status")[1]


def test_a_rewrapping_is_audited_at_its_begin_and_end(rows: dict[str, str]) -> None:
    total = rows_to_rewrap()

    command("rewrap")

    begin, end = AuditEvent.objects.filter(action__startswith="master_keys:").order_by("seq")
    assert (begin.action, begin.subject, begin.changes["rows"]) == ("master_keys:rewrap_started", "new", total)
    assert end.changes == {"rewrapped": total, "failed": 0, "left": 0}


def test_progress_is_told_batch_by_batch(rows: dict[str, str]) -> None:
    out = command("rewrap", "--batch", "2")[1]

    assert f"of {standing().count('new')}" in out
    assert "rows/s" in out


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_is_writing_is_passed_over_and_done_later(settings: Any, on_services: None) -> None:
    """On PostgreSQL: the re-wrapper waits for no edit, so it can't deadlock with one of several rows."""
    settings.MASTER_KEYS = ring("old")
    held = give_key(register())
    settings.MASTER_KEYS = ring("new", "old")
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tenants_apikey WHERE id = %s FOR UPDATE", [held.pk])
        progress = Progress()
        assert rewrap_batch(column_of(ApiKey), progress, after=None, batch=10) is None
        assert progress.rewrapped == 0
        other.rollback()
        assert rewrap_batch(column_of(ApiKey), progress, after=None, batch=10) == held.pk
    finally:
        other.close()
    assert open_token(ApiKey.objects.get().token, column_of(ApiKey).binding_of(held))
    assert get_keyring().primary_id() == "new"
