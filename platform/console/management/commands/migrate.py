"""Django's own command, without the deadlines that are meant for requests: an index on a large ledger takes its time."""

from typing import Any, Final

from django.core.management.commands import migrate
from django.db import connections

# Not lock_timeout: a migration that waits for a lock makes everybody behind it wait, so it had better fail and be run again.
_DEADLINES: Final = ("statement_timeout", "idle_in_transaction_session_timeout")


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {name} = 0" for name in _DEADLINES))
        super().handle(*args, **options)
        # Whoever called this from Python goes on with the connection.
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"RESET {name}" for name in _DEADLINES))
