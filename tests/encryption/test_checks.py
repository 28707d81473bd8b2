"""A start with unusable keys stops, and the message names the cure and never a key."""

from uuid import UUID

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from encryption.checks import check_key_files, check_rings, check_sealed_columns
from encryption.models import SiteSecret, forget_site_secrets, site_secret
from encryption.registry import register, sealed_columns
from tests.encryption.keys import key, ring


def ids(messages):
    return [message.id for message in messages]


def test_good_rings_pass(settings):
    settings.MASTER_KEYS, settings.SIGNING_KEYS = ring("a"), ring("b")

    assert check_rings(None) == []


@pytest.mark.proof("E6")
def test_an_unusable_ring_is_named(settings):
    settings.MASTER_KEYS, settings.SIGNING_KEYS = "a:short", ""

    problems = check_rings(None)

    assert ids(problems) == ["encryption.E001", "encryption.E002"]
    assert problems[0].msg.startswith("MASTER_KEYS, entry 1:")
    assert problems[1].msg.startswith("SIGNING_KEYS is not set.")


@pytest.mark.proof("E6")
def test_rings_that_share_a_key_are_refused(settings):
    settings.MASTER_KEYS, settings.SIGNING_KEYS = ring("a", "b"), f"c:{key('b')}"

    problems = check_rings(None)

    assert ids(problems) == ["encryption.E003"]
    assert key("b") not in str(problems)


def test_the_secret_key_is_no_master_key(settings):
    settings.SECRET_KEY = key("django")
    settings.MASTER_KEYS = ring("django")

    assert "this is the SECRET_KEY" in str(check_rings(None)[0])


@pytest.mark.proof("E6")
@pytest.mark.parametrize(("mode", "found"), [(0o400, 0), (0o600, 0), (0o440, 0), (0o644, 1), (0o404, 1), (0o602, 1)])
def test_a_file_of_keys_that_everybody_may_open_is_refused(tmp_path, monkeypatch, mode, found):
    path = tmp_path / "master-keys"
    path.write_text(ring("a"))
    path.chmod(mode)
    monkeypatch.setenv("MASTER_KEYS_FILE", str(path))

    problems = check_key_files(None)

    assert ids(problems) == ["encryption.E004"] * found
    assert all("chmod 0400" in problem.hint for problem in problems)


@pytest.mark.proof("E6")
@pytest.mark.django_db
def test_a_row_under_a_key_that_is_missing_is_found(settings):
    settings.MASTER_KEYS = ring("old")
    forget_site_secrets()
    site_secret("public-ids")
    assert check_sealed_columns(None, databases=["default"]) == []

    settings.MASTER_KEYS = ring("new")
    problems = check_sealed_columns(None, databases=["default"])

    assert ids(problems) == ["encryption.E005"]
    assert problems[0].msg.startswith("1 rows of encryption.SiteSecret.token are sealed under a master key")
    with pytest.raises(SystemCheckError, match="E005"):
        call_command("check", databases=["default"])

    settings.MASTER_KEYS = ring("new", "old")
    assert check_sealed_columns(None, databases=["default"]) == []


@pytest.mark.django_db
def test_the_id_of_a_key_is_compared_whole(settings):
    settings.MASTER_KEYS = ring("a-1")
    forget_site_secrets()
    site_secret("public-ids")

    settings.MASTER_KEYS = ring("a")

    assert ids(check_sealed_columns(None, databases=["default"])) == ["encryption.E005"]


def test_without_a_database_the_rows_are_not_looked_at():
    assert check_sealed_columns(None) == []


def test_the_site_secrets_are_registered():
    column = next(column for column in sealed_columns() if column.model is SiteSecret)

    row = SiteSecret(name="public-ids")
    assert str(column) == "encryption.SiteSecret.token"
    assert column.binding_of(row).owner == UUID(int=0)
    assert column.binding_of(row).row == row.id


def test_a_column_that_does_not_exist_is_not_registered():
    with pytest.raises(FieldDoesNotExist):
        register(SiteSecret, "tokn", binding_of=SiteSecret.binding)
