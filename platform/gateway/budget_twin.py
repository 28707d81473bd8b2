"""The twin of the budgets in Redis: the same decisions in this process's memory alone, without any I/O."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.budgets import Budget, Charge, Measure, Reservation

MOST_COUNTERS: Final = 20_000


@dataclass(slots=True)
class _Counter:
    """`used` is None while nobody has told; `holds` has the amount, and the second at which it lapses, of each run in work."""

    used: int | None = None
    held: int = 0
    holds: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def drop_lapsed(self, now: float) -> None:
        # All holds last equally long, so they lapse in the order in which they came.
        while self.holds and next(iter(self.holds.values()))[1] <= now:
            _, (amount, _) = self.holds.popitem(last=False)
            self.held -= amount

    def hold(self, run_id: str, amount: int, lapses_at: float) -> None:
        if run_id not in self.holds:
            self.holds[run_id] = amount, lapses_at
            self.held += amount

    def settle(self, run_id: str, actual: int) -> None:
        """Once: a hold that is not there was settled before, or has lapsed."""
        if run_id not in self.holds:
            return
        self.held -= self.holds.pop(run_id)[0]
        if self.used is not None:
            self.used += actual


class BudgetTwin:
    """Counters by key. The oldest go when there are too many."""

    def __init__(self, *, lasts: float, most_counters: int = MOST_COUNTERS) -> None:
        self._lasts = lasts
        self._most = most_counters
        self._counters: OrderedDict[str, _Counter] = OrderedDict()

    def reserve(self, run_id: str, charges: Sequence[Charge], *, now: float) -> Reservation:
        """Hold all the amounts, or none; `now` in seconds of a clock that never goes back."""
        counters = [self._counter(charge.budget) for charge in charges]
        for counter in counters:
            counter.drop_lapsed(now)
        used, held = [counter.used or 0 for counter in counters], [counter.held for counter in counters]
        on_trial: list[str] = []
        for charge, counter in zip(charges, counters, strict=True):
            if counter.used is None:
                return Reservation(run_id, charges, used=used, held=held, is_unknown=True)
            if counter.used + counter.held < charge.budget.most:
                continue
            if not charge.budget.is_on_trial:
                return Reservation(run_id, charges, refused_by=charge.budget, used=used, held=held)
            on_trial.append(charge.budget.reason)
        for charge, counter in zip(charges, counters, strict=True):
            counter.hold(run_id, charge.amount, now + self._lasts)
        return Reservation(run_id, charges, on_trial=tuple(on_trial), used=used, held=held)

    def follow(self, reservation: Reservation, *, now: float) -> None:
        """Hold what Redis has let in, so that the twin is warm when it must decide."""
        for charge, used in zip(reservation.charges, reservation.used, strict=True):
            counter = self._counter(charge.budget)
            counter.drop_lapsed(now)
            counter.used = used
            counter.hold(reservation.run_id, charge.amount, now + self._lasts)

    def settle(self, reservation: Reservation, actual: Mapping[Measure, int]) -> None:
        for charge in reservation.charges:
            if charge.budget.key in self._counters:
                self._counters[charge.budget.key].settle(reservation.run_id, actual.get(charge.budget.measure, 0))

    def raise_to(self, budget: Budget, used: int) -> None:
        """What is used, known from now on, is at least this."""
        counter = self._counter(budget)
        counter.used = max(used, counter.used or 0)

    def _counter(self, budget: Budget) -> _Counter:
        counter = self._counters.setdefault(budget.key, _Counter())
        self._counters.move_to_end(budget.key)
        if len(self._counters) > self._most:
            self._counters.popitem(last=False)
        return counter
