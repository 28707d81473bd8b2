"""`manage.py set_price`: what a model's tokens cost from a day on, without the console."""

from argparse import ArgumentParser
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.record import SYSTEM
from chat_server.set_price import set_price


def _dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise CommandError(f"“{text}” is no price: give US dollars for a million tokens, for instance 2.50.") from None


class Command(BaseCommand):
    help = "Sets what a model costs: US dollars for a million tokens, from a day (UTC) on. May be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="as the version of the assistant names it")
        parser.add_argument("--input", required=True, type=_dollars)
        parser.add_argument("--cached", required=True, type=_dollars, help="input that OpenAI had in its cache")
        parser.add_argument("--output", required=True, type=_dollars)
        parser.add_argument("--from", dest="since", type=date.fromisoformat, help="YYYY-MM-DD; today, if not given")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            row = set_price(
                model=options["model"],
                valid_from=options["since"] or timezone.now().date(),
                input_per_million=options["input"],
                cached_input_per_million=options["cached"],
                output_per_million=options["output"],
                actor=SYSTEM,
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        self.stdout.write(f"{row}: set.")
