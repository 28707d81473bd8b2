"""Any sequence of requests, under any mixture of limits and quotas, against a model that remembers all of them."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import redis as redis_client
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX, RAISE_SCRIPT, SCRIPT, decode, encode
from gateway.limit_twin import Twin
from gateway.quotas import Period, Quota
from tests.proof import size

# The same on both sides: whole microseconds, long after 1970 in Redis's eyes.
EPOCH = 1_800_000_000 * 1_000_000
NAMES = ("a", "b", "c")
TENANTS = (uuid.UUID(int=1), uuid.UUID(int=2))
DAY = datetime.now(UTC)

some_limits = st.lists(
    st.builds(
        lambda name, per_minute, on_trial: Limit(name, per_minute, f"{name}_limit", is_on_trial=on_trial),
        st.sampled_from(NAMES),
        st.sampled_from((1, 2, 3, 7, 60)),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda limit: limit.key,
)
some_quotas = st.lists(
    st.builds(
        lambda tenant, period, most, on_trial: Quota.of(tenant, period, most, at=DAY, is_on_trial=on_trial),
        st.sampled_from(TENANTS),
        st.sampled_from(Period),
        st.integers(1, 4),
        st.booleans(),
    ),
    max_size=2,
    unique_by=lambda quota: quota.key,
)


class Model:
    """Keeps the times at which each key was charged, and works everything out from them anew each time."""

    def __init__(self) -> None:
        self.charged: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.used: dict[str, int] = {}

    def tat(self, key: str) -> int:
        tat = 0
        for at, interval in self.charged[key]:
            tat = max(tat, at) + interval
        return tat

    def take(self, limits: Sequence[Limit], quotas: Sequence[Quota], now: int) -> tuple[str, Any, tuple[str, ...]]:
        """("admitted", None, on trial), ("refused", by whom, ()) or ("unknown", None, ())."""
        would: list[str] = []
        for limit in limits:
            if self.tat(limit.key) - now > (60_000_000 // limit.per_minute) * (limit.per_minute - 1):
                if not limit.is_on_trial:
                    return "refused", limit, ()
                would.append(limit.reason)
        for quota in quotas:
            if quota.key not in self.used:
                return "unknown", None, ()
            if self.used[quota.key] >= quota.most:
                if not quota.is_on_trial:
                    return "refused", quota, ()
                would.append(quota.reason)
        for limit in limits:
            if limit.reason not in would:
                self.charged[limit.key].append((now, 60_000_000 // limit.per_minute))
        for quota in quotas:
            self.used[quota.key] += 1
        return "admitted", None, tuple(would)


class LimiterMachine(RuleBasedStateMachine):
    """The twin; the machine below puts the script in Redis in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.now = EPOCH
        self.reserved: list[Quota] = []
        self.open()

    def open(self) -> None:
        self.twin = Twin()

    def decide(self, limits: Sequence[Limit], quotas: Sequence[Quota]) -> Decision:
        return self.twin.take(limits, quotas, now=self.now)

    def raise_to(self, quota: Quota, used: int) -> None:
        self.twin.raise_to(quota, used)

    def give_back(self, quotas: Sequence[Quota]) -> None:
        self.twin.give_back(quotas)

    def counter(self, key: str) -> int | None:
        return self.twin._used.get(key)

    @initialize(used=st.integers(0, 3))
    def begin_with_a_counter(self, used: int) -> None:
        self.know(Quota.of(TENANTS[0], Period.DAY, 1, at=DAY), used)

    @rule(
        microseconds=st.one_of(
            st.integers(0, 3), st.integers(0, 90_000_000), st.sampled_from((10**6, 20 * 10**6, 30 * 10**6))
        )
    )
    def time_passes(self, microseconds: int) -> None:
        self.now += microseconds

    @rule(limits=some_limits, quotas=some_quotas)
    def somebody_asks(self, limits: list[Limit], quotas: list[Quota]) -> None:
        before = self.now
        outcome, by, would = self.model.take(limits, quotas, self.now)
        decision = self.decide(limits, quotas)

        found = "unknown" if decision.is_unknown else "refused" if decision.refused_by is not None else "admitted"
        assert (found, decision.refused_by, decision.on_trial) == (outcome, by, would)
        if outcome == "admitted":
            self.reserved += quotas
            assert list(decision.ahead) == [max(self.model.tat(each.key) - before, 0) for each in limits]
            assert list(decision.used) == [self.model.used[each.key] for each in quotas]
        if isinstance(by, Limit):
            # Exactly then, and not a microsecond sooner.
            wait = round(decision.retry_after * 1e6)
            assert self.model.tat(by.key) - (before + wait) == by.tolerance

    @rule(
        quota=st.builds(lambda t, p: Quota.of(t, p, 1, at=DAY), st.sampled_from(TENANTS), st.sampled_from(Period)),
        used=st.integers(0, 5),
    )
    def know(self, quota: Quota, used: int) -> None:
        self.model.used[quota.key] = max(self.model.used.get(quota.key, 0), used)
        self.raise_to(quota, used)

    @precondition(lambda self: self.reserved)
    @rule(data=st.data())
    def nothing_was_granted(self, data: st.DataObject) -> None:
        quota = self.reserved.pop(data.draw(st.integers(0, len(self.reserved) - 1)))
        self.model.used[quota.key] -= 1
        self.give_back([quota])

    @invariant()
    def counters_are_those_of_the_model(self) -> None:
        for tenant, period in itertools.product(TENANTS, Period):
            key = Quota.of(tenant, period, 1, at=DAY).key
            assert self.counter(key) == self.model.used.get(key)


class RedisMachine(LimiterMachine):
    """The script itself, on a Redis whose clock is a key; everything else of it is as it is sent in production."""

    def open(self) -> None:
        self.redis = redis_client.Redis.from_url(settings.REDIS_URL)
        self.clock = f"test:clock:{uuid.uuid4().hex}"
        # Each run has keys of its own, which nobody must wait for to expire.
        self.space = uuid.uuid4().hex
        script = SCRIPT.replace("redis.call('TIME')", f"redis.call('MGET', '{self.clock}:s', '{self.clock}:us')")
        # Time passes by leaps here, so that nothing may expire by the clock on the wall.
        script = script.replace("'PX', milliseconds", "'PX', milliseconds + 600000")
        self.script = self.redis.register_script(script)
        self.raise_script = self.redis.register_script(RAISE_SCRIPT)

    def decide(self, limits: Sequence[Limit], quotas: Sequence[Quota]) -> Decision:
        [decision] = self.ask([(limits, quotas)], {})
        return decision

    def ask(self, requests: Any, given_back: dict[str, int]) -> list[Decision]:
        self.redis.mset({f"{self.clock}:s": self.now // 10**6, f"{self.clock}:us": self.now % 10**6})
        keys, arguments = encode(requests, given_back)
        return decode(requests, self.script(keys=[self.space + key for key in keys], args=arguments))

    def raise_to(self, quota: Quota, used: int) -> None:
        self.raise_script(keys=[self.space + PREFIX + quota.key], args=[used, int(quota.ends_at.timestamp()) + 60])

    def give_back(self, quotas: Sequence[Quota]) -> None:
        self.ask([], {quota.key: 1 for quota in quotas})

    def counter(self, key: str) -> int | None:
        used = self.redis.get(self.space + PREFIX + key)
        return None if used is None else int(used)

    def teardown(self) -> None:
        mine = [*self.redis.scan_iter(f"{self.space}*", count=1000), f"{self.clock}:s", f"{self.clock}:us"]
        self.redis.delete(*mine)
        self.redis.close()


def test_the_twin_decides_as_the_model_does() -> None:
    run(LimiterMachine, examples=size(reduced=60, full=2_000))


def test_the_script_in_redis_decides_as_the_model_does(on_services: None) -> None:
    run(RedisMachine, examples=size(reduced=20, full=500))


def run(machine: Any, *, examples: int) -> None:
    quiet = effort(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quiet)
