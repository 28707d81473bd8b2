"""`manage.py revoke_sessions --tenant slug`: cancels the live sessions of a tenant at OpenAI, now; the tenant itself goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.record import SYSTEM
from sessions_api.models import LiveSession
from sessions_api.revoke import cancel_claimed, revoke_sessions
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Cancels all live sessions of a tenant at OpenAI. Visitors can open new ones at once: to stop that, suspend the "
        "tenant in the admin, which cancels its sessions, too. Exit code 1 where some could not be cancelled; they expire "
        "within 10 minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")

    def handle(self, *, tenant: str, **_: Any) -> None:
        found = Tenant.objects.filter(slug=tenant).first()
        if found is None:
            raise CommandError(f"No tenant has the slug “{tenant}”. The admin's list of tenants shows the slugs.")
        marked = revoke_sessions(tenant=found, actor=SYSTEM)
        claimed = cancelled = 0
        while (batch := cancel_claimed(LiveSession.objects.filter(tenant=found, cancelled_at=None))) != (0, 0):
            claimed, cancelled = claimed + batch[0], cancelled + batch[1]
        self.stdout.write(f"{marked} live sessions marked, {cancelled} cancelled now.")
        if claimed > cancelled:
            self.stdout.write(
                f"{claimed - cancelled} could not be cancelled; the worker tries again until they expire. Its log says why."
            )
            raise SystemExit(1)
