"""Makes the first superuser where there is none of that name, for the demo and for containers."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import SYSTEM, Subject, record


class Command(BaseCommand):
    help = "Creates the superuser DJANGO_SUPERUSER_USERNAME with DJANGO_SUPERUSER_PASSWORD, unless that user exists."

    def handle(self, *args: Any, **options: Any) -> None:
        username = os.environ.get("DJANGO_SUPERUSER_USERNAME", "")
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
        if not username or not password:
            raise CommandError("Set DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD in the environment.")
        users = get_user_model()._default_manager
        with transaction.atomic():
            if users.filter(username=username).exists():
                self.stdout.write(f"{username} exists already.")
                return
            user = users.create_superuser(username=username, password=password)
            subject = Subject(type="user", id=str(user.pk), label=username)
            record(Action.USER_CREATED, actor=SYSTEM, subject=subject, changes=described(["username", "is_superuser"]))
        self.stdout.write(f"{username} was created.")
