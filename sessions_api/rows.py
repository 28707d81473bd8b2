"""How rows of the ledger get into the database, and which failures mean that it is away."""

import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from django.db.models import Model

from sessions_api.insert import insert_together
from sessions_api.models import VisitorLink

R = TypeVar("R")
# What fails sooner may be a connection that had died; what fails later would be waited for in vain a second time.
_SOON_SECONDS: Final = 1.0
_READ_ONLY_STATE: Final = "25006"


def insert_rows(rows: Iterable[Model], *, once_more: bool = False) -> None:
    """All of them or none.

    `once_more`: some may be there already, written by a commit whose answer was lost; these are passed over by their ids.
    """
    by_model: dict[type[Model], list[Model]] = {}
    for row in rows:
        by_model.setdefault(type(row), []).append(row)
    # The link of a visitor is the same whoever writes it: two first sessions at once are no error.
    insert_together(by_model, may_be_there=by_model.keys() if once_more else {VisitorLink})


def on_kept_connection(work: Callable[[bool], R]) -> R:
    """Run `work(once_more)` on this thread's connection, which stays open; once more, told so, when it turns out to be dead."""
    began = time.monotonic()
    try:
        return work(False)
    except (OperationalError, InterfaceError):
        # The next call must not find it again either.
        connection.close()
        if time.monotonic() - began >= _SOON_SECONDS:
            raise
    try:
        return work(True)
    except (OperationalError, InterfaceError):
        connection.close()
        raise


def is_away(error: Exception) -> bool:
    """Whether the database could not take the rows, whatever they are.

    Gone, refusing, too slow, out of connections, locked or full: OperationalError and InterfaceError. Read-only:
    PostgreSQL calls that an internal error.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) == _READ_ONLY_STATE
