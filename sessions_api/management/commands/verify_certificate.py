"""`manage.py verify_certificate FILE`: whether a certificate of an erasure was signed by this site, and what it says."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions_api.certificate import CertificateInvalid, certificate_key, verify_certificate


class Command(BaseCommand):
    help = "Checks a certificate of an erasure and prints what it certifies; exit code 1 and the reason where it doesn't hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--public-key", metavar="KEY", help="that of another site, as its admin shows it, in place of this one's"
        )

    def handle(self, *, file: str, public_key: str | None, **_: Any) -> None:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} can't be read: {error}") from None
        try:
            certificate = verify_certificate(text, public_key=public_key or certificate_key())
        except CertificateInvalid as fault:
            self.stderr.write(f"THE CERTIFICATE DOES NOT HOLD. {fault}")
            raise SystemExit(1) from None
        self.stdout.write("The certificate holds.")
        self.stdout.write(json.dumps(certificate, indent=2, ensure_ascii=False))
