"""What makes the command lines of Django and axes leave audit events, in the transaction of what they change."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from audit.actions import Action
from audit.addresses import truncate_address
from audit.changes import described
from audit.record import SYSTEM, Subject, record


@contextmanager
def recorded_saves(action: Action, *, fields: list[str], via: str) -> Iterator[None]:
    """Makes every save of a user in this block one transaction with its event; for a process that runs one command.

    Django's commands ask and save in one method without a hook between. A transaction around all of it would be held
    while somebody thinks of a password: that blocks every other writer on SQLite, and PostgreSQL ends it.
    """
    save = User.save

    def recorded_save(user: User, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            save(user, *args, **kwargs)
            subject = Subject(type="user", id=str(user.pk), label=user.get_username())
            record(action, actor=SYSTEM, subject=subject, changes=described(fields, via=via))

    User.save = recorded_save  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        User.save = save  # type: ignore[method-assign]


class RecordedUnlock(BaseCommand):
    """For axes' commands that open locks: one event with the names or networks that were given."""

    def handle(self, *args: Any, **options: Any) -> None:
        names, addresses = _listed(options.get("username")), _listed(options.get("ip"))
        networks = [truncate_address(address) or "?" for address in addresses]
        subject = Subject(type="user", id="", label=", ".join(names) or "everybody")
        with transaction.atomic():
            super().handle(*args, **options)
            record(Action.LOGIN_UNLOCKED, actor=SYSTEM, subject=subject, changes={"networks": networks or "all"})


def _listed(given: str | list[str] | None) -> list[str]:
    return [given] if isinstance(given, str) else given or []
