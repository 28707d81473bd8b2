"""Proves that no audit event was changed, removed or slipped in. For cron: exit code 0 when the chain holds, 1 when not."""

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.chain import SENTENCES, Checkpoint, Verification, verify_chain


class Command(BaseCommand):
    help = "Walks every link of the audit chain; exits with 1 and names the first bad number if it doesn't hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument(
            "--checkpoint",
            metavar="SEQ:HASH",
            help="a link that an earlier run printed and that you kept elsewhere; it must still be part of the chain",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checkpoint = Checkpoint.parse(options["checkpoint"]) if options["checkpoint"] else None
        except ValueError as error:
            raise CommandError(str(error)) from error
        started = time.monotonic()
        result = verify_chain(checkpoint=checkpoint)
        seconds = time.monotonic() - started
        self.stdout.write(_as_json(result, seconds) if options["json"] else _as_text(result, seconds))
        if not result.holds:
            sys.exit(1)


def _as_json(result: Verification, seconds: float) -> str:
    return json.dumps(
        {
            "holds": result.holds,
            "checked": result.checked,
            "head": str(result.head) if result.head else None,
            "bad_seq": result.bad_seq,
            "fault": result.fault,
            "seconds": round(seconds, 3),
        }
    )


def _as_text(result: Verification, seconds: float) -> str:
    if result.fault is None:
        return (
            f"The audit chain holds: {result.checked} events in {seconds:.1f} s.\n"
            f"Checkpoint, to be kept elsewhere and given to --checkpoint later: {result.head}"
        )
    return (
        f"THE AUDIT CHAIN DOES NOT HOLD at event {result.bad_seq}: {SENTENCES[result.fault]}.\n"
        f"The {result.checked} events before it hold. Keep a copy of the database as it is, then see docs/security.md."
    )
