"""The database itself keeps tenants apart: a key and the assistant that uses it belong to one tenant.

A foreign key can't say that, so triggers do, on PostgreSQL and SQLite. SQLite drops a table's triggers when a later migration
rebuilds it (most alterations do): such a migration ends with `RunPython(*same_tenant_triggers())`.
"""

from django.db import migrations

REFUSAL = "a key and its assistant belong to one tenant"
MOVED = "a key or an assistant never moves to another tenant"

POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION tenants_refuse_other_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT tenant_id FROM tenants_assistant WHERE id = NEW.assistant_id)
           IS DISTINCT FROM (SELECT tenant_id FROM tenants_apikey WHERE id = NEW.key_id) THEN
            RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION tenants_refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.tenant_id IS DISTINCT FROM OLD.tenant_id THEN
            RAISE EXCEPTION '{MOVED}' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    "DROP TRIGGER IF EXISTS tenants_same_tenant ON tenants_assistantkey",
    """
    CREATE TRIGGER tenants_same_tenant BEFORE INSERT OR UPDATE OF assistant_id, key_id ON tenants_assistantkey
    FOR EACH ROW EXECUTE FUNCTION tenants_refuse_other_tenant()
    """,
    *(
        statement
        for table in ("tenants_apikey", "tenants_assistant")
        for statement in (
            f"DROP TRIGGER IF EXISTS {table}_stays ON {table}",
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OF tenant_id ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION tenants_refuse_move()",
        )
    ),
)
POSTGRESQL_UNDO = (
    "DROP TRIGGER IF EXISTS tenants_same_tenant ON tenants_assistantkey",
    "DROP TRIGGER IF EXISTS tenants_apikey_stays ON tenants_apikey",
    "DROP TRIGGER IF EXISTS tenants_assistant_stays ON tenants_assistant",
    "DROP FUNCTION IF EXISTS tenants_refuse_other_tenant()",
    "DROP FUNCTION IF EXISTS tenants_refuse_move()",
)
SQLITE_UNDO = (
    "DROP TRIGGER IF EXISTS tenants_same_tenant_insert",
    "DROP TRIGGER IF EXISTS tenants_same_tenant_update",
    "DROP TRIGGER IF EXISTS tenants_apikey_stays",
    "DROP TRIGGER IF EXISTS tenants_assistant_stays",
)
SQLITE = (
    *SQLITE_UNDO,
    *(
        f"""
        CREATE TRIGGER tenants_same_tenant_{name} BEFORE {event} ON tenants_assistantkey
        WHEN (SELECT tenant_id FROM tenants_assistant WHERE id = NEW.assistant_id)
             IS NOT (SELECT tenant_id FROM tenants_apikey WHERE id = NEW.key_id)
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
        """
        for name, event in (("insert", "INSERT"), ("update", "UPDATE OF assistant_id, key_id"))
    ),
    *(
        f"""
        CREATE TRIGGER {table}_stays BEFORE UPDATE OF tenant_id ON {table}
        WHEN NEW.tenant_id IS NOT OLD.tenant_id
        BEGIN SELECT RAISE(ABORT, '{MOVED}'); END
        """
        for table in ("tenants_apikey", "tenants_assistant")
    ),
)


def same_tenant_triggers():
    """The two functions for RunPython; safe to repeat."""

    def forwards(apps, schema_editor):
        _run(schema_editor, POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)

    def backwards(apps, schema_editor):
        _run(schema_editor, POSTGRESQL_UNDO if schema_editor.connection.vendor == "postgresql" else SQLITE_UNDO)

    return forwards, backwards


def _run(schema_editor, statements):
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [migrations.RunPython(*same_tenant_triggers())]
