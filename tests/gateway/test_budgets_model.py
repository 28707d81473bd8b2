"""Any sequence of runs that reserve, settle, lapse and are counted, against a model that remembers all of them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import redis as redis_client
from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.budget_script import (
    PREFIX,
    RAISE,
    RESERVE,
    SETTLE,
    decode_reserve,
    encode_reserve,
    encode_settle,
    keys_of,
)
from gateway.budget_twin import BudgetTwin
from gateway.budgets import Budget, Charge, Measure, Reservation
from gateway.quotas import Period
from tests.gateway.test_limiter_model import run
from tests.proof import size

EPOCH = 1_800_000_000
LASTS = 90
TENANT = uuid.UUID(int=1)
DAY = datetime.now(UTC)


def budget(name: str, most: int = 1, is_on_trial: bool = False) -> Budget:
    measure, period, visitor = {
        "tokens": (Measure.TOKENS, Period.DAY, ""),
        "visitor": (Measure.TOKENS, Period.DAY, "v1"),
        "cost": (Measure.COST, Period.MONTH, ""),
    }[name]
    return Budget.of(TENANT, measure, period, most, at=DAY, reason=name, visitor_ref=visitor, is_on_trial=is_on_trial)


NAMES = ("tokens", "visitor", "cost")
some_charges = st.lists(
    st.builds(
        lambda name, most, trial, amount: Charge(budget(name, most, trial), amount),
        st.sampled_from(NAMES),
        st.sampled_from((1, 10, 40)),
        st.booleans(),
        st.integers(0, 15),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda charge: charge.budget.key,
)


class Model:
    """All that ever happened, by budget; sums are worked out anew each time."""

    def __init__(self) -> None:
        self.used: dict[str, int] = {}
        self.holds: dict[str, dict[str, tuple[int, int]]] = {budget(name).key: {} for name in NAMES}

    def held(self, key: str, now: int) -> int:
        return sum(amount for amount, lapses in self.holds[key].values() if lapses > now)

    def reserve(self, run_id: str, charges: Sequence[Charge], now: int) -> tuple[str, Any, tuple[str, ...]]:
        would: list[str] = []
        for charge in charges:
            key = charge.budget.key
            if key not in self.used:
                return "unknown", None, ()
            if self.used[key] + self.held(key, now) >= charge.budget.most:
                if not charge.budget.is_on_trial:
                    return "refused", charge.budget, ()
                would.append(charge.budget.reason)
        for charge in charges:
            self.holds[charge.budget.key][run_id] = charge.amount, now + LASTS
        return "admitted", None, tuple(would)

    def settle(self, reservation: Reservation, actual: dict[Measure, int], seen_at: dict[str, int]) -> None:
        """A hold that somebody has seen lapse is settled by nobody."""
        for charge in reservation.charges:
            key = charge.budget.key
            hold = self.holds[key].pop(reservation.run_id, None)
            if hold is not None and hold[1] > seen_at.get(key, 0) and key in self.used:
                self.used[key] += actual[charge.budget.measure]


class BudgetMachine(RuleBasedStateMachine):
    """The twin; the machine below puts the scripts in Redis in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = EPOCH
        self.in_work: list[Reservation] = []
        self.seen_at: dict[str, int] = {}
        self.runs = 0
        self.open()

    def open(self) -> None:
        self.twin = BudgetTwin(lasts=LASTS)

    def reserve(self, run_id: str, charges: Sequence[Charge]) -> Reservation:
        return self.twin.reserve(run_id, charges, now=self.now)

    def settle(self, reservation: Reservation, actual: dict[Measure, int]) -> None:
        self.twin.settle(reservation, actual)

    def raise_to(self, of: Budget, used: int) -> None:
        self.twin.raise_to(of, used)

    def counter(self, of: Budget) -> int | None:
        found = self.twin._counters.get(of.key)
        return None if found is None else found.used

    @rule(seconds=st.one_of(st.integers(0, 3), st.sampled_from((LASTS - 1, LASTS, LASTS + 1))))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(charges=some_charges)
    def a_run_asks(self, charges: list[Charge]) -> None:
        self.runs += 1
        run_id = f"run{self.runs}"
        before = [(self.model.used.get(c.budget.key, 0), self.model.held(c.budget.key, self.now)) for c in charges]
        outcome, by, would = self.model.reserve(run_id, charges, self.now)
        decided = self.reserve(run_id, charges)
        for charge in charges:
            self.seen_at[charge.budget.key] = self.now

        found = "unknown" if decided.is_unknown else "refused" if decided.refused_by is not None else "admitted"
        assert (found, decided.refused_by, decided.on_trial) == (outcome, by, would)
        if found != "unknown":
            assert list(zip(decided.used, decided.held, strict=True)) == before
        if found == "admitted":
            self.in_work.append(decided)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data(), actual=st.integers(0, 20), twice=st.booleans())
    def a_run_ends(self, data: st.DataObject, actual: int, twice: bool) -> None:
        reservation = self.in_work.pop(data.draw(st.integers(0, len(self.in_work) - 1)))
        used = {Measure.TOKENS: actual, Measure.COST: 3 * actual}
        self.model.settle(reservation, used, self.seen_at)
        self.settle(reservation, used)
        if twice:
            self.settle(reservation, used)

    @precondition(lambda self: self.in_work)
    @rule(data=st.data())
    def a_process_is_killed(self, data: st.DataObject) -> None:
        """Nobody settles it: what it holds lapses."""
        self.in_work.pop(data.draw(st.integers(0, len(self.in_work) - 1)))

    @rule(name=st.sampled_from(NAMES), used=st.integers(0, 45))
    def the_ledger_is_counted(self, name: str, used: int) -> None:
        of = budget(name)
        self.model.used[of.key] = max(self.model.used.get(of.key, 0), used)
        self.raise_to(of, used)

    @invariant()
    def counters_are_those_of_the_model(self) -> None:
        for name in NAMES:
            assert self.counter(budget(name)) == self.model.used.get(budget(name).key)


class RedisBudgets(BudgetMachine):
    """The scripts themselves, on a Redis whose clock is a key; everything else is as it is sent in production."""

    def open(self) -> None:
        self.redis = redis_client.Redis.from_url(settings.REDIS_URL)
        self.space = uuid.uuid4().hex
        clock = f"redis.call('MGET', '{self.space}:s', '{self.space}:us')"
        reserve = RESERVE.replace("redis.call('TIME')", clock).replace("lasts + 60000", "lasts + 6000000")
        self.scripts = {
            name: self.redis.register_script(text)
            for name, text in (("reserve", reserve), ("settle", SETTLE), ("raise", RAISE))
        }

    def ask(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        self.redis.mset({f"{self.space}:s": self.now, f"{self.space}:us": 0})
        return self.scripts[script](keys=[self.space + key for key in keys], args=list(arguments))

    def reserve(self, run_id: str, charges: Sequence[Charge]) -> Reservation:
        said = encode_reserve(run_id, charges, lasts_ms=LASTS * 1000)
        return decode_reserve(run_id, charges, self.ask("reserve", *said))

    def settle(self, reservation: Reservation, actual: dict[Measure, int]) -> None:
        self.ask("settle", *encode_settle(reservation, actual))

    def raise_to(self, of: Budget, used: int) -> None:
        self.ask("raise", keys_of([of]), [used, int(of.ends_at.timestamp()) + 60])

    def counter(self, of: Budget) -> int | None:
        used = self.redis.hget(self.space + PREFIX + of.key, "used")
        return None if used is None else int(used)

    @rule(name=st.sampled_from(NAMES))
    def a_counter_is_evicted(self, name: str) -> None:
        """The holds beside it stay: whoever makes the counter anew finds them."""
        self.model.used.pop(budget(name).key, None)
        self.redis.delete(self.space + PREFIX + budget(name).key)

    def teardown(self) -> None:
        self.redis.delete(f"{self.space}:s", *self.redis.scan_iter(f"{self.space}*", count=1000))
        self.redis.close()


def test_the_twin_keeps_budgets_as_the_model_does() -> None:
    run(BudgetMachine, examples=size(reduced=100, full=2_000))


def test_the_scripts_in_redis_keep_budgets_as_the_model_does(on_services: None) -> None:
    run(RedisBudgets, examples=size(reduced=40, full=500))
