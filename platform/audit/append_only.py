"""Makes a table append-only in the database itself, by triggers that refuse UPDATE and DELETE (PostgreSQL, SQLite).

A table with retention (`prunable`: it has the columns `tenant_id` and `at`) lets rows go that a permit of the same
transaction names (`PrunePermit`), and whatever the permit says none of the last day.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$
"""
_POSTGRESQL_PRUNE = """
CREATE OR REPLACE FUNCTION refuse_unless_permitted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at < now() - interval '1 day' AND EXISTS (
        SELECT 1 FROM audit_prunepermit AS permit
        WHERE permit.table_name = TG_TABLE_NAME AND permit.tenant_id IS NOT DISTINCT FROM OLD.tenant_id
        AND permit.before > OLD.at AND permit.transaction = txid_current()
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$
"""
# SQLite has one writer at a time, so a permit that is removed in its own transaction is seen by no other.
_SQLITE_PERMITTED = """
OLD.at < datetime('now', '-1 day') AND EXISTS (
    SELECT 1 FROM audit_prunepermit AS permit
    WHERE permit.table_name = '{table}' AND permit.tenant_id IS OLD.tenant_id AND permit.before > OLD.at
)
"""


def protect(connection: BaseDatabaseWrapper, table: str, *, prunable: bool = False) -> None:
    """From now on the table only grows, but for what a permit lets go. Safe to repeat."""
    unprotect(connection, table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL_FUNCTION)
            verbs = "UPDATE" if prunable else "UPDATE OR DELETE"
            cursor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE {verbs} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
            )
            if prunable:
                cursor.execute(_POSTGRESQL_PRUNE)
                cursor.execute(
                    f"CREATE TRIGGER {table}_prunable BEFORE DELETE ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION refuse_unless_permitted()"
                )
            # TRUNCATE touches no row, so it needs a trigger of its own.
            cursor.execute(
                f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            return
        for verb in ("UPDATE", "DELETE"):
            permitted = _SQLITE_PERMITTED.format(table=table) if prunable and verb == "DELETE" else ""
            condition = f"WHEN NOT ({permitted})" if permitted else ""
            cursor.execute(
                f"CREATE TRIGGER {table}_append_only_{verb.lower()} BEFORE {verb} ON {table} {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only: {verb} refused'); END"
            )


def unprotect(connection: BaseDatabaseWrapper, table: str) -> None:
    """For migrations backwards, and for the test runner, which empties tables between tests."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in ("append_only", "prunable", "no_truncate"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}")
            return
        for verb in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only_{verb}")


def protect_in_migration(table: str, *, prunable: bool = False) -> tuple[Any, Any]:
    """The two functions for `RunPython(*protect_in_migration("some_table"))`."""

    def forwards(_apps: Any, schema_editor: Any) -> None:
        protect(schema_editor.connection, table, prunable=prunable)

    def backwards(_apps: Any, schema_editor: Any) -> None:
        if prunable:
            # It was protected before it became prunable.
            protect(schema_editor.connection, table)
        else:
            unprotect(schema_editor.connection, table)

    return forwards, backwards
