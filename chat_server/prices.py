"""What a run of a model costs, by the price table's row of the run's day."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.db import DatabaseError, InterfaceError

from chat_server.models import ModelPrice
from gateway.database_threads import DatabaseThreads

logger = logging.getLogger(__name__)

# A new price counts in every process after this.
FRESH_SECONDS: Final = 30.0
LOAD_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, hence microdollars for one."""

    valid_from: date
    input: Decimal
    cached_input: Decimal
    output: Decimal


class PriceBook:
    """All prices, by model and day."""

    def __init__(self, rows: Iterable[ModelPrice] = ()) -> None:
        self._by_model: dict[str, list[Price]] = {}
        for row in rows:
            price = Price(row.valid_from, row.input_per_million, row.cached_input_per_million, row.output_per_million)
            self._by_model.setdefault(row.model, []).append(price)
        for prices in self._by_model.values():
            prices.sort(key=lambda price: price.valid_from, reverse=True)

    def price_of(self, model: str, day: date) -> Price | None:
        """The newest that had begun by this day; None where the table has none."""
        return next((price for price in self._by_model.get(model, ()) if price.valid_from <= day), None)


def load_book() -> PriceBook:
    return PriceBook(ModelPrice.objects.all())


def price_of(model: str, day: date) -> Price | None:
    return PriceBook(ModelPrice.objects.filter(model=model)).price_of(model, day)


def cost(price: Price, *, input_tokens: int, cached_tokens: int, output_tokens: int) -> int:
    """Microdollars, rounded. Cached tokens are some of the input tokens."""
    cached = min(cached_tokens, input_tokens)
    exact = (input_tokens - cached) * price.input + cached * price.cached_input + output_tokens * price.output
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


class Prices:
    """The price book of one process, read anew when it is older than half a minute; without the database the last one serves."""

    def __init__(self) -> None:
        self._book = PriceBook()
        self._read_at = float("-inf")

    async def book(self, threads: DatabaseThreads) -> PriceBook:
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            # Whoever comes meanwhile goes by the last one, and nobody asks a silent database for each run.
            self._read_at, is_first = time.monotonic(), self._read_at == float("-inf")
            try:
                self._book = await threads.run(load_book, seconds=LOAD_SECONDS)
            except (DatabaseError, InterfaceError, TimeoutError) as error:
                logger.warning("The prices of models could not be read (%s)", type(error).__name__)
                if is_first:
                    self._read_at = time.monotonic() - FRESH_SECONDS + LOAD_SECONDS
        return self._book

    def forget(self) -> None:
        """In this process a change counts at once."""
        self._read_at = float("-inf")


PRICES: Final = Prices()
