"""The database itself refuses to change what was written."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEvent

STATEMENTS = (
    "UPDATE audit_auditevent SET actor = 'eve'",
    "UPDATE audit_auditevent SET hash = hash",
    "DELETE FROM audit_auditevent",
    "DELETE FROM audit_auditevent WHERE seq = 1",
)


@pytest.mark.proof("A9")
@pytest.mark.django_db
@pytest.mark.parametrize("statement", STATEMENTS)
def test_update_and_delete_are_refused(append, statement):
    append()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert AuditEvent.objects.get().actor == "system"


@pytest.mark.proof("A9")
@pytest.mark.django_db
def test_the_orm_is_refused_as_well(append):
    event = append()
    event.actor = "eve"

    for forbidden in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            forbidden()


@pytest.mark.proof("A9")
@pytest.mark.django_db
def test_emptying_the_table_at_once_is_refused(append):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    append()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent CASCADE")
