"""`manage.py switch_backend`: who answers for an assistant, from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.record import SYSTEM
from tenants.models import Assistant, Tenant
from tenants.models.assistant import Backend
from tenants.switch import SwitchRefused, switch_backend, would_switch


class Command(BaseCommand):
    help = (
        'Switches one assistant to another backend and prints {"outcome", "reasons", "warnings"}. Pages keep their snippet; '
        "chats that are open go on in the other mode. Safe to repeat."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug")
        parser.add_argument("--assistant", required=True, help="slug")
        parser.add_argument("--to", required=True, choices=Backend.values)
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        assistant = _assistant(options["tenant"], options["assistant"])
        try:
            if options["dry_run"]:
                done = would_switch(assistant, options["to"])
            else:
                done = switch_backend(assistant=assistant, to=options["to"], actor=SYSTEM)
        except SwitchRefused as refusal:
            raise CommandError("\n".join(refusal.reasons)) from None
        self.stdout.write(
            json.dumps({"outcome": done.outcome, "reasons": list(done.reasons), "warnings": list(done.warnings)})
        )


def _assistant(tenant_slug: str, slug: str) -> Assistant:
    tenant = Tenant.objects.filter(slug=tenant_slug).first()
    if tenant is None:
        raise CommandError(f"There is no tenant with the slug {tenant_slug}. The console's list of tenants has them.")
    assistant = Assistant.objects.filter(tenant=tenant, slug=slug).first()
    if assistant is None:
        known = ", ".join(tenant.assistants.order_by("slug").values_list("slug", flat=True)) or "none"
        raise CommandError(f"{tenant} has no assistant with the slug {slug}. It has: {known}.")
    return assistant
