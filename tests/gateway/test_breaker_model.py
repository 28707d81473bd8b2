"""F3, U11: the breaker against a model that keeps every outcome in a list and works each decision out from scratch."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.breaker import Breaker, Passage
from tests.proof import size

CALLERS = st.sampled_from(["alder", "birch", "cedar"])


@dataclass
class Model:
    """Three states in plain words; `outcomes` are (second, caller, whether it failed) since it was last closed by a probe."""

    is_shared: bool
    state: str = "closed"
    open_until: float = 0.0
    outcomes: list[tuple[int, str, bool]] = field(default_factory=list)

    def passes(self, now: float) -> bool:
        return self.state == "closed" or (self.state == "open" and now >= self.open_until)

    def enter(self) -> bool:
        """Whether the one who passes is the probe."""
        if self.state == "closed":
            return False
        self.state = "probing"
        return True

    def succeeded(self, now: float, caller: str, *, is_probe: bool) -> None:
        if is_probe:
            self.state, self.outcomes = "closed", []
        self.outcomes.append((int(now), caller, False))

    def failed(self, now: float, caller: str, *, is_probe: bool, cool_down: float | None) -> None:
        self.outcomes.append((int(now), caller, True))
        if is_probe or cool_down is not None or (self.state == "closed" and self.is_too_much(int(now))):
            until = now + (5 if cool_down is None else cool_down)
            self.open_until = max(until, self.open_until) if self.state == "open" else until
            self.state = "open"

    def abandoned(self, *, is_probe: bool) -> None:
        if is_probe and self.state == "probing":
            self.state = "open"

    def is_too_much(self, second: int) -> bool:
        recent = [(caller, failed) for at, caller, failed in self.outcomes if at > second - 10]
        failures = [caller for caller, failed in recent if failed]
        served = {caller for caller, failed in recent if not failed}
        if len(failures) < 5:
            return False
        if not self.is_shared:
            return len(failures) * 2 >= len(recent)
        hopeless = set(failures) - served
        return len(hopeless) >= 2 and len(hopeless) >= len(served)


class AgainstTheModel(RuleBasedStateMachine):
    @initialize(is_shared=st.booleans())
    def begin(self, is_shared: bool) -> None:
        self.now = 1000.0
        self.breaker = Breaker(is_shared=is_shared, clock=lambda: self.now)
        self.model = Model(is_shared)
        self.out: list[tuple[Passage, str]] = []

    @rule(seconds=st.sampled_from([0.1, 0.9, 1.0, 4.9, 5.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(caller=CALLERS)
    def enter(self, caller: str) -> None:
        passage = self.breaker.enter(caller)
        assert (passage is not None) is self.model.passes(self.now)
        if passage is not None:
            assert passage.is_probe is self.model.enter()
            self.out.append((passage, caller))

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 50))
    def succeed(self, which: int) -> None:
        passage, caller = self.out.pop(which % len(self.out))
        passage.succeeded()
        self.model.succeeded(self.now, caller, is_probe=passage.is_probe)
        passage.failed("a second word counts for nothing")

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 50), cool_down=st.sampled_from([None, None, None, 1.0, 30.0]))
    def fail(self, which: int, cool_down: float | None) -> None:
        passage, caller = self.out.pop(which % len(self.out))
        passage.failed("down", cool_down=cool_down)
        self.model.failed(self.now, caller, is_probe=passage.is_probe, cool_down=cool_down)
        passage.abandoned()

    @rule(caller=CALLERS, times=st.integers(1, 6), fails=st.booleans())
    def call_in_a_row(self, caller: str, times: int, fails: bool) -> None:
        for _ in range(times):
            before = len(self.out)
            self.enter(caller)
            if len(self.out) > before and fails:
                self.fail(before, None)
            elif len(self.out) > before:
                self.succeed(before)

    @precondition(lambda self: self.out)
    @rule(which=st.integers(0, 50))
    def give_up(self, which: int) -> None:
        passage, _ = self.out.pop(which % len(self.out))
        passage.abandoned()
        self.model.abandoned(is_probe=passage.is_probe)

    @invariant()
    def closed_means_closed(self) -> None:
        if hasattr(self, "model"):
            assert self.breaker.is_closed is (self.model.state == "closed")
            assert self.breaker.retry_after() == max(1.0, self.model.open_until - self.now)


TestAgainstTheModel = pytest.mark.proof("F3", "U11")(AgainstTheModel.TestCase)
TestAgainstTheModel.settings = hypothesis_settings(
    max_examples=size(reduced=100, full=2_000), stateful_step_count=50, deadline=None
)
