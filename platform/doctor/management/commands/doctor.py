"""`manage.py doctor [tenant] [--assistant slug] [--json]`: what is wrong, and what to do about it."""

import json
import textwrap
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from doctor.examine import examine
from doctor.findings import Check, Finding, Level
from doctor.table import SITE
from doctor.tenant_checks import checks_of
from tenants.models import Assistant, Tenant

WRONG_USE = 2


class Command(BaseCommand):
    help = (
        "Examines the platform and, where one is named, a tenant with its keys, assistants and websites; prints what is wrong "
        "with the cure. Changes nothing. Exit code 0: well, or warnings only; 1: a failure; 2: no such tenant or assistant."
    )
    # What the system checks find is among the findings; they must not keep the command from running.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", nargs="?", metavar="TENANT", help="slug")
        parser.add_argument("--assistant", metavar="SLUG", help="only this one of the tenant's assistants")
        parser.add_argument("--json", action="store_true", help="one JSON object, for machines")

    def handle(self, *, tenant: str | None, assistant: str | None, **options: Any) -> None:
        if assistant and not tenant:
            raise CommandError("--assistant wants the tenant's slug before it.", returncode=WRONG_USE)
        found = examine([*SITE, *(_checks(tenant, assistant) if tenant else ())])
        self.stdout.write(_as_json(found) if options["json"] else _as_table(found))
        if any(finding.level is Level.FAIL for _, finding in found):
            raise SystemExit(1)


def _checks(slug: str, assistant: str | None) -> list[Check]:
    try:
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            raise _unknown("tenant", slug, Tenant.objects.values_list("slug", flat=True))
        assistants = list(tenant.assistants.select_related("published_version").order_by("slug"))
        chosen: list[Assistant] = [each for each in assistants if assistant in (None, each.slug)]
        if assistant and not chosen:
            raise _unknown("assistant", assistant, [each.slug for each in assistants])
        return checks_of(tenant, chosen)
    except DatabaseError:
        # The first check of the site says so, with the cure.
        return []


def _unknown(what: str, slug: str, known: Iterable[str]) -> CommandError:
    near = get_close_matches(slug, list(known), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else " The console's list has them."
    return CommandError(f"No {what} has the slug “{slug}”.{hint}", returncode=WRONG_USE)


def _as_json(found: Sequence[tuple[Check, Finding]]) -> str:
    rows = [
        {
            "id": check.id,
            "title": check.title,
            "level": finding.level,
            "sentence": finding.sentence,
            "cure": finding.cure,
        }
        for check, finding in found
    ]
    return json.dumps({"ok": all(row["level"] != Level.FAIL for row in rows), "checks": rows}, indent=2)


def _as_table(found: Sequence[tuple[Check, Finding]]) -> str:
    width = max(len(check.title) for check, _ in found)
    lines = []
    for check, finding in found:
        lines += _wrapped(f"{finding.level:<4}  {check.title:<{width}}  ", finding.sentence)
        if finding.cure:
            lines += _wrapped(" " * (width + 8) + "→ ", finding.cure)
    counts = {level: sum(finding.level is level for _, finding in found) for level in Level}
    return "\n".join(
        [*lines, "", f"{counts[Level.OK]} ok, {counts[Level.WARN]} warnings, {counts[Level.FAIL]} failures"]
    )


def _wrapped(start: str, text: str) -> list[str]:
    room = max(60, 130 - len(start))
    first, *rest = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [start + first, *(" " * len(start) + line for line in rest)]
