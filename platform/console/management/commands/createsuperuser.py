"""Django's own command, with an audit event."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from audit.actions import Action
from console.commands import recorded_saves


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        fields = ["username", "is_staff", "is_superuser"]
        with recorded_saves(Action.USER_CREATED, fields=fields, via="manage.py createsuperuser"):
            super().handle(*args, **options)
