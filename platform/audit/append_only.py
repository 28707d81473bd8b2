"""Makes a table append-only in the database itself, by triggers that refuse UPDATE and DELETE (PostgreSQL, SQLite)."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$
"""


def protect(connection: BaseDatabaseWrapper, table: str) -> None:
    """From now on the table only grows. Safe to repeat."""
    unprotect(connection, table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
            cursor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            # TRUNCATE touches no row, so it needs a trigger of its own.
            cursor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            return
        for verb in ("UPDATE", "DELETE"):
            cursor.execute(
                f"CREATE TRIGGER {table}_append_only_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
            )


def unprotect(connection: BaseDatabaseWrapper, table: str) -> None:
    """For migrations backwards, and for the test runner, which empties tables between tests."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}")
            return
        for verb in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only_{verb}")


def protect_in_migration(table: str) -> tuple[Any, Any]:
    """The two functions for `RunPython(*protect_in_migration("some_table"))`."""

    def forwards(_apps: Any, schema_editor: Any) -> None:
        protect(schema_editor.connection, table)

    def backwards(_apps: Any, schema_editor: Any) -> None:
        unprotect(schema_editor.connection, table)

    return forwards, backwards
