"""Django's own command, with an audit event."""

from typing import Any

from django.contrib.auth.management.commands import changepassword

from audit.actions import Action
from console.commands import recorded_saves


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        with recorded_saves(Action.PASSWORD_CHANGED, fields=["password"], via="manage.py changepassword"):
            return super().handle(*args, **options)
