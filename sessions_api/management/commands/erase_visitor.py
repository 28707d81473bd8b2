"""`manage.py erase_visitor`: erases one visitor of a tenant at OpenAI and here."""

import sys
import time
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.record import SYSTEM
from sessions_api.cancel import cancel_claimed
from sessions_api.erase_visitor import (
    ErasureRefused,
    Person,
    advance_erasures,
    erase_visitor,
    find_by_ref,
    find_by_subject,
    find_by_user,
    not_reached,
)
from sessions_api.models import LiveSession, VisitorErasure
from tenants.models import Tenant

_LOOK_AGAIN_SECONDS: Final = 1.0


class Command(BaseCommand):
    help = (
        "Erases one visitor: tokens revoked, live sessions cancelled, threads deleted at OpenAI with each of the tenant's keys, "
        "rows deleted, a certificate signed. The worker does it; with --wait this command does it itself and prints the "
        "certificate. Exit code 1 where it is not finished in time, 3 where some keys could not be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--ref", metavar="REF", help="the visitor's reference in the ledger")
        who.add_argument(
            "--subject", metavar="NAME", help="the tenant's own name for the visitor; “-” reads it from stdin"
        )
        who.add_argument("--user", metavar="v1.…", help="the visitor's name at OpenAI")
        parser.add_argument("--yes", action="store_true", help="do it: this can't be undone")
        parser.add_argument("--wait", type=int, metavar="SECONDS", default=0)

    def handle(self, *, yes: bool, wait: int, **given: Any) -> None:
        tenant = Tenant.objects.filter(slug=given["tenant"]).first()
        if tenant is None:
            raise CommandError(
                f"No tenant has the slug “{given['tenant']}”. The admin's list of tenants shows the slugs."
            )
        try:
            person = _find(tenant, given)
            if not yes:
                known = f"known here as {person.ref}" if person.ref else "of whom nothing is known here"
                raise CommandError(f"This would erase a visitor of {tenant}, {known}. Add --yes to do it.")
            erasure = erase_visitor(tenant=tenant, person=person, actor=SYSTEM)
        except ErasureRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stderr.write(f"Erasure {erasure.pk} of a visitor of {tenant}: no token counts any more.")
        if wait:
            self._work(erasure, person, until=time.monotonic() + wait)

    def _work(self, erasure: VisitorErasure, person: Person, *, until: float) -> None:
        rows = VisitorErasure.objects.filter(pk=erasure.pk)
        live = LiveSession.objects.filter(tenant=erasure.tenant_id, visitor_ref=person.ref, cancelled_at=None)
        while True:
            cancel_claimed(live)
            advance_erasures(rows)
            erasure.refresh_from_db()
            if erasure.finished_at is not None or time.monotonic() >= until:
                break
            time.sleep(_LOOK_AGAIN_SECONDS)
        if erasure.finished_at is None:
            self.stderr.write("Not finished yet: the worker goes on. The admin shows how far it is.")
            raise SystemExit(1)
        self.stdout.write(erasure.certificate)
        if missed := not_reached(erasure):
            self.stderr.write(f"What only these keys reach is not deleted: {', '.join(missed)}.")
            raise SystemExit(3)


def _find(tenant: Tenant, given: dict[str, Any]) -> Person:
    if given["ref"]:
        return find_by_ref(tenant, given["ref"])
    if given["user"]:
        return find_by_user(tenant, given["user"])
    subject = given["subject"]
    return find_by_subject(tenant, sys.stdin.readline().rstrip("\n") if subject == "-" else subject)
