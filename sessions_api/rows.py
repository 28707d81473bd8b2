"""How rows of the ledger get into the database, and which failures mean that it is away."""

import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, close_old_connections, connection, transaction
from django.db.models import Model

from sessions_api.models import VisitorLink

R = TypeVar("R")
# What fails sooner may be a connection that had died; what fails later would be waited for in vain a second time.
_SOON_SECONDS: Final = 1.0
_READ_ONLY_STATE: Final = "25006"


def insert_rows(rows: Iterable[Model], *, once_more: bool = False) -> None:
    """One multi-row INSERT for each model, in the caller's transaction.

    `once_more`: some may be there already, written by a commit whose answer was lost; these are passed over by their ids.
    """
    for model, of_model in _by_model(rows).items():
        # The link of a visitor is the same whoever writes it: two first sessions at once are no error.
        may_be_there = once_more or model is VisitorLink
        model._default_manager.bulk_create(of_model, ignore_conflicts=may_be_there)


def in_transaction(work: Callable[[bool], R]) -> R:
    """Run `work(once_more)` in a transaction of this thread; once more, told so, when the connection turns out to be dead."""
    close_old_connections()
    began = time.monotonic()
    try:
        with transaction.atomic():
            return work(False)
    except (OperationalError, InterfaceError):
        if time.monotonic() - began >= _SOON_SECONDS:
            raise
        connection.close()
        with transaction.atomic():
            return work(True)
    finally:
        close_old_connections()


def is_away(error: Exception) -> bool:
    """Whether the database could not take the rows, whatever they are.

    Gone, refusing, too slow, out of connections, locked or full: OperationalError and InterfaceError. Read-only:
    PostgreSQL calls that an internal error.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", None) == _READ_ONLY_STATE


def _by_model(rows: Iterable[Model]) -> dict[type[Model], list[Model]]:
    grouped: dict[type[Model], list[Model]] = {}
    for row in rows:
        grouped.setdefault(type(row), []).append(row)
    return grouped
