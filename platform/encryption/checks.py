"""System checks of the vault: a start with unusable keys stops here, with a sentence that names the cure."""

import os
import stat
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, router, transaction

from encryption.derive import signing_ring
from encryption.providers import get_keyring, master_ring
from encryption.registry import SealedColumn, sealed_columns
from encryption.vault import token_prefix

GUIDE: Final = "See 'Keys' in docs/operating.md."


def require_fit_keys() -> None:
    """For servers and workers, which start without system checks: raises ImproperlyConfigured, which names every cure."""
    if problems := [*check_rings(None), *check_key_files(None)]:
        raise ImproperlyConfigured(" ".join(f"{problem.msg} {problem.hint}" for problem in problems))


def register_checks() -> None:
    register(check_rings, Tags.security)
    register(check_key_files, Tags.security)
    register(check_sealed_columns, Tags.database)


def check_rings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E001, E002: a ring cannot be read. E003: one key stands in both rings."""
    problems = [
        *_problem_of(master_ring, "encryption.E001"),
        *_problem_of(signing_ring, "encryption.E002"),
    ]
    if not problems and master_ring().shares_a_key_with(signing_ring()):
        problems.append(
            Error(
                "MASTER_KEYS and SIGNING_KEYS share a key.",
                hint=f"Make another key for one of them with `openssl rand -base64 32`. {GUIDE}",
                id="encryption.E003",
            )
        )
    return problems


def _problem_of(read: Callable[[], object], check_id: str) -> list[CheckMessage]:
    try:
        read()
    except ImproperlyConfigured as problem:
        return [Error(str(problem), hint=GUIDE, id=check_id)]
    return []


def check_key_files(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """E004: a file of keys may be read or written by every user of the machine."""
    # Settings keep the content only, so the path is read where settings found it.
    files = {name: os.environ.get(f"{name}_FILE") for name in ("MASTER_KEYS", "SIGNING_KEYS")}
    return [
        Error(
            f"Every user of this machine may open the file of {name}.",
            hint=f"Run `chmod 0400` on the file that {name}_FILE names (0440 where a group must read it). {GUIDE}",
            id="encryption.E004",
        )
        for name, path in files.items()
        if path and Path(path).exists() and stat.S_IMODE(Path(path).stat().st_mode) & stat.S_IRWXO
    ]


def check_sealed_columns(
    app_configs: Sequence[AppConfig] | None, databases: Collection[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E005: a row is sealed under a master key that the ring does not hold. Runs with `check --database default`."""
    try:
        key_ids = get_keyring().ids()
    except ImproperlyConfigured:
        return []  # E001 says so
    return [
        Error(
            f"{count} rows of {column} are sealed under a master key that is not in MASTER_KEYS.",
            hint=f"Put the missing key back into MASTER_KEYS (at its end) until these rows are re-wrapped. {GUIDE}",
            id="encryption.E005",
        )
        for alias in databases or ()
        for column in sealed_columns()
        if (count := _count_unknown(column, key_ids, alias))
    ]


def _count_unknown(column: SealedColumn, key_ids: Collection[str], alias: str) -> int:
    """How many tokens of a column begin with none of these key ids."""
    if not router.allow_migrate_model(alias, column.model):
        return 0
    rows = column.model._base_manager.using(alias).exclude(**{column.field: ""})
    rows = rows.exclude(**{f"{column.field}__isnull": True})
    for key_id in key_ids:
        rows = rows.exclude(**{f"{column.field}__startswith": token_prefix(key_id)})
    connections[alias].ensure_connection()
    try:
        with transaction.atomic(using=alias):
            return rows.count()
    except DatabaseError:
        # `migrate` runs this check too, before it has made the table or the column.
        return 0
