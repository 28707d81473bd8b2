"""`manage.py origin_verdicts FILE [--tenant slug] [--json]`: which verdicts on origins are not those that a file expects."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.domains import today
from tenants.models import Tenant
from tenants.origin_vectors import Vectors, VectorsUnreadable, Wrong, read_vectors, wrong_verdicts
from tenants.origins import OriginRule


class Command(BaseCommand):
    help = (
        'Decides on every origin of a JSON file, {"rules": [entry], "cases": [{"header", "expect": "allow" or "deny"}]}, and '
        "prints each wrong verdict and their count. With --tenant the tenant's own list stands in for “rules”. Nothing is "
        "changed, and nothing is asked of OpenAI. Exit code 1 when a verdict is wrong, 2 when the file can't be used."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="- reads standard input")
        parser.add_argument("--tenant", metavar="SLUG", help="decide by the list of this tenant")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, file: str, tenant: str | None, **options: Any) -> None:
        vectors = _read(file)
        rules = _rules_of(tenant) if tenant is not None else vectors.rules
        if rules is None:
            raise CommandError(
                f"{file}: it has no “rules”. Add the entries, or name a tenant with --tenant.", returncode=2
            )
        wrong = wrong_verdicts(rules, vectors.cases, now=time.time())
        if options["json"]:
            self.stdout.write(json.dumps({"cases": len(vectors.cases), "wrong": [_as_json(each) for each in wrong]}))
        else:
            for each in wrong:
                self.stdout.write(_as_line(each))
            self.stdout.write(f"{len(wrong)} wrong of {len(vectors.cases)}.")
        if wrong:
            raise SystemExit(1)


def _read(file: str) -> Vectors:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return read_vectors(text, today=today())
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}. Name a file that exists.", returncode=2) from error
    except VectorsUnreadable as problem:
        raise CommandError(f"{file}: {problem}", returncode=2) from problem


def _rules_of(slug: str) -> list[OriginRule]:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(
            f"No tenant has the slug “{slug}”. The admin's list of tenants shows the slugs.", returncode=2
        )
    return [domain.rule for domain in tenant.domains.all()]


def _expected(wrong: Wrong) -> str:
    return "allow" if wrong.case.is_allowed else "deny"


def _as_json(wrong: Wrong) -> dict[str, Any]:
    return {
        "header": wrong.case.header,
        "expect": _expected(wrong),
        "reason": wrong.reason.value,
        "why": wrong.case.why,
    }


def _as_line(wrong: Wrong) -> str:
    # Escaped: a header may hold what would move the cursor or look like another one.
    header = "(none)" if wrong.case.header is None else ascii(wrong.case.header)
    why = f" ({ascii(wrong.case.why)[1:-1]})" if wrong.case.why else ""
    return f"{header}: expected {_expected(wrong)}, decided {wrong.reason.value}{why}"
