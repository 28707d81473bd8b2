"""`manage.py check_keys [--tenant slug]`: checks now, here, without worker or broker, and prints what was found."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from key_health.check import check_claimed
from key_health.models import CheckPlan
from key_health.plans import claim_due, hurry, plan_missing
from key_health.probes import CONCURRENCY
from key_health.verdicts import Finding
from tenants.models import Tenant
from tenants.models.key import CONDEMNED
from tenants.verdict_words import words_for


class Command(BaseCommand):
    help = (
        "Checks the keys of all active tenants, or of one, and prints each finding. "
        "Exit code 1 where a key or pair does not work."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="Only the keys of this tenant.")

    def handle(self, *, tenant: str | None, **_: Any) -> None:
        plan_missing()
        plans = CheckPlan.objects.all()
        if tenant is not None:
            plans = plans.filter(key__tenant=self._tenant(tenant))
        hurry(plans)
        waiting = list(plans.values_list("pk", flat=True))
        found: list[tuple[CheckPlan, Finding]] = []
        # One crew at a time: its checks begin at once, so that even the slowest end within their claims.
        for start in range(0, len(waiting), CONCURRENCY):
            found += check_claimed(claim_due(limit=CONCURRENCY, only=waiting[start : start + CONCURRENCY]))
        self._print(found)
        if any(finding.verdict in CONDEMNED for _, finding in found):
            raise SystemExit(1)

    def _tenant(self, slug: str) -> Tenant:
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise CommandError(f"No tenant has the slug “{slug}”. The admin's list of tenants shows the slugs.")
        if not tenant.is_active:
            raise CommandError(
                f"{tenant} is {tenant.get_state_display()}, and only keys of active tenants are checked."
            )
        return tenant

    def _print(self, found: list[tuple[CheckPlan, Finding]]) -> None:
        if not found:
            self.stdout.write(
                "Nothing to check: no active tenant has a key, or a worker is checking them at this moment."
            )
            return
        rows = [("tenant", "key", "assistant", "finding", "ms", "cure")]
        for plan, finding in found:
            words = words_for(finding.verdict, finding.reason)
            assistant = plan.assistant.name if plan.assistant else "(the key alone)"
            rows.append(
                (plan.key.tenant.slug, str(plan.key), assistant, words.title, str(finding.latency_ms), words.cure)
            )
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            self.stdout.write("  ".join([*cells, row[-1]]).rstrip())
