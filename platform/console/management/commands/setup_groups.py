"""Makes the groups Auditors, Operators and Site admins. Run it after `migrate`; it sets their permissions back to the norm."""

from typing import Any

from django.core.management.base import BaseCommand

from audit.record import SYSTEM
from console.groups import setup_groups


class Command(BaseCommand):
    help = "Makes the groups Auditors, Operators and Site admins, or sets their permissions back to the norm."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, count in setup_groups(actor=SYSTEM).items():
            self.stdout.write(f"{name}: {count} permissions")
