"""`manage.py revoke_sessions`: cancels live sessions at OpenAI, now; the tenant itself goes on."""

import time
import uuid
from dataclasses import replace
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.record import SYSTEM
from sessions_api.cancel import cancel_claimed
from sessions_api.models import LiveSession, SessionRequest
from sessions_api.revoke import Which, revoke_sessions, uncancelled
from sessions_api.waves import Wave, wave_over
from tenants.domains import rules_of
from tenants.models import ApiKey, Assistant, Tenant

_LOOK_AGAIN_SECONDS: Final = 1.0


class Command(BaseCommand):
    help = (
        "Cancels live sessions at OpenAI: all of a tenant, or those that the other options narrow them down to. Visitors can "
        "open new ones at once: to stop that, suspend the tenant in the admin, which cancels its sessions, too. Exit code 0 "
        "where none is live any more, 1 where some are: the worker goes on, and they expire within 10 minutes; 2 where the "
        "tenant has no such website."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", metavar="SLUG")
        whose.add_argument("--all", action="store_true", help="of every tenant of this site")
        parser.add_argument(
            "--visitor", metavar="REF", default="", help="of one visitor, by its reference in the ledger"
        )
        parser.add_argument("--key", metavar="LABEL", default="", help="that this key opened")
        parser.add_argument("--assistant", metavar="SLUG", default="", help="of this assistant")
        parser.add_argument(
            "--origin", metavar="ORIGIN", default="", help="of this website, such as https://shop.example"
        )
        parser.add_argument(
            "--wait",
            type=int,
            metavar="SECONDS",
            default=0,
            help="try again what fails, for so long, and show progress",
        )

    def handle(self, *, wait: int, **given: Any) -> None:
        ids = self._mark(given)
        until = time.monotonic() + wait
        self._cancel(ids)
        while (wave := wave_over(ids)) is not None and not wave.is_over and time.monotonic() < until:
            self._say(wave)
            time.sleep(_LOOK_AGAIN_SECONDS)
            self._cancel(ids)
        if wave is None:
            self.stdout.write("No live session.")
            return
        self._say(wave)
        if not wave.is_over:
            self.stdout.write("The worker tries the rest again until they expire. Its log says why they fail.")
            raise SystemExit(1)

    def _mark(self, given: dict[str, Any]) -> list[uuid.UUID]:
        """Marks what is meant, with an audit event for each tenant, and gives the ids of all that it is about."""
        narrowing = ("visitor", "key", "assistant", "origin")
        if given["all"] and any(given[name] for name in narrowing):
            raise CommandError("--all takes no other option but --wait: name the tenant whose sessions you mean.")
        meant = [Which(pk) for pk in Tenant.objects.values_list("pk", flat=True)] if given["all"] else [_which(given)]
        ids: list[uuid.UUID] = []
        for which in meant:
            ids += which.of(uncancelled()).values_list("pk", flat=True)
            revoke_sessions(which=which, actor=SYSTEM)
        return ids

    def _cancel(self, ids: list[uuid.UUID]) -> None:
        while cancel_claimed(LiveSession.objects.filter(pk__in=ids, cancelled_at=None)) != (0, 0):
            pass

    def _say(self, wave: Wave) -> None:
        self.stdout.write(
            f"{wave.sessions} sessions: {wave.cancelled} cancelled, {wave.waiting} waiting, "
            f"{wave.failing} could not be cancelled yet, {wave.expired} expired."
        )


def _which(given: dict[str, Any]) -> Which:
    tenant = Tenant.objects.filter(slug=given["tenant"]).first()
    if tenant is None:
        raise CommandError(f"No tenant has the slug “{given['tenant']}”. The admin's list of tenants shows the slugs.")
    which = Which(tenant.pk, visitor_ref=given["visitor"].lower())
    if given["key"]:
        key = ApiKey.objects.filter(tenant=tenant, label=given["key"]).first()
        if key is None:
            raise CommandError(f"{tenant} has no key “{given['key']}”. Its page in the admin shows the labels.")
        which = replace(which, key_id=key.pk)
    if given["assistant"]:
        assistant = Assistant.objects.filter(tenant=tenant, slug=given["assistant"]).first()
        if assistant is None:
            raise CommandError(f"{tenant} has no assistant “{given['assistant']}”. Its page shows the slugs.")
        which = replace(which, assistant_id=assistant.pk)
    if given["origin"]:
        origin = given["origin"].rstrip("/")
        _require_known(tenant, origin)
        which = replace(which, origins=[origin])
    return which


def _require_known(tenant: Tenant, origin: str) -> None:
    """A website that was never seen here is mistyped: “No live session.” would be taken for “all are cancelled”."""
    seen = (LiveSession.objects.filter(origin=origin), SessionRequest.objects.filter(origin=origin))
    if rules_of([tenant.pk])[tenant.pk].decide(origin, now=time.time()):
        return
    if any(rows.filter(tenant=tenant).exists() for rows in seen):
        return
    raise CommandError(
        f"Nothing is cancelled: “{origin}” is no website of {tenant} and has never asked for a session. Its form is "
        "https://shop.example, with the port where it is not the usual one. The tenant's page in the admin shows its websites.",
        returncode=2,
    )
