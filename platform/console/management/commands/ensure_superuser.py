"""Makes the first superuser where there is none of that name; leaves an existing one alone. For the demo and for containers."""

import os
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction


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
            users.create_superuser(username=username, password=password)  # type: ignore[attr-defined]
        self.stdout.write(f"{username} was created.")
