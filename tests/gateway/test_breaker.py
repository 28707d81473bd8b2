"""U10 to U12: when calls are left alone, when they are tried again, and by how many."""

import pytest

from gateway.breaker import OPEN_SECONDS, Breaker
from tests.gateway.callers import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock=clock)


def fail(breaker: Breaker, times: int = 1, reason: str = "down") -> None:
    for _ in range(times):
        passage = breaker.enter()
        assert passage is not None
        passage.failed(reason)


def succeed(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        passage = breaker.enter()
        assert passage is not None
        passage.succeeded()


def test_four_failures_are_bad_luck_and_five_open_it(breaker: Breaker) -> None:
    fail(breaker, 4)
    assert breaker.is_closed

    fail(breaker)

    assert breaker.enter() is None
    assert breaker.reason == "down"


def test_five_failures_among_six_successes_do_not_open_it(breaker: Breaker) -> None:
    succeed(breaker, 6)

    fail(breaker, 5)

    assert breaker.is_closed


def test_half_of_the_calls_failing_opens_it(breaker: Breaker) -> None:
    succeed(breaker, 5)

    fail(breaker, 5)

    assert not breaker.is_closed


def test_failures_of_long_ago_do_not_count(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 4)
    clock.now += 10.1

    fail(breaker, 4)

    assert breaker.is_closed


def test_failures_of_several_seconds_count_together(breaker: Breaker, clock: Clock) -> None:
    for _ in range(4):
        fail(breaker)
        clock.now += 2
    assert breaker.is_closed

    fail(breaker)

    assert not breaker.is_closed


def test_one_that_was_never_open_has_no_reason_and_asks_for_a_second_at_least(breaker: Breaker) -> None:
    assert breaker.reason == ""
    assert breaker.retry_after() == 1.0


def test_while_open_nobody_passes_and_everybody_is_told_how_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += 2

    refused = [breaker.enter() for _ in range(100)]

    assert refused == [None] * 100
    assert breaker.retry_after() == OPEN_SECONDS - 2


@pytest.mark.proof("U11")
def test_half_open_lets_exactly_one_of_a_hundred_pass(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += OPEN_SECONDS

    passages = [breaker.enter() for _ in range(100)]

    assert sum(passage is not None for passage in passages) == 1


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += OPEN_SECONDS

    succeed(breaker)

    assert breaker.is_closed
    fail(breaker, 1)
    assert breaker.is_closed


def test_a_bad_probe_opens_it_again_for_the_whole_time(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += OPEN_SECONDS

    fail(breaker, 1, "still down")

    assert breaker.enter() is None
    assert breaker.retry_after() == OPEN_SECONDS
    assert breaker.reason == "still down"


def test_a_probe_that_ends_without_a_word_leaves_its_place_to_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += OPEN_SECONDS
    probe = breaker.enter()
    assert probe is not None

    probe.abandoned()

    assert breaker.enter() is not None


def test_while_a_probe_is_on_its_way_the_others_are_asked_to_wait_a_second(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 5)
    clock.now += OPEN_SECONDS

    probe = breaker.enter("alder")

    assert probe is not None
    assert (probe.caller, probe.is_probe) == ("alder", True)
    assert breaker.enter() is None
    assert breaker.retry_after() == 1.0


def test_an_old_call_that_is_given_up_makes_no_room_beside_the_probe(breaker: Breaker, clock: Clock) -> None:
    early = breaker.enter()
    assert early is not None
    fail(breaker, 5)
    clock.now += OPEN_SECONDS
    assert breaker.enter() is not None

    early.abandoned()

    assert breaker.enter() is None


def test_the_other_side_may_ask_to_be_left_alone(breaker: Breaker, clock: Clock) -> None:
    passage = breaker.enter()
    assert passage is not None

    passage.failed("throttled", cool_down=30)

    assert breaker.retry_after() == 30
    clock.now += 29
    assert breaker.enter() is None
    clock.now += 1
    assert breaker.enter() is not None


def test_only_the_first_word_on_an_outcome_counts(breaker: Breaker) -> None:
    for _ in range(10):
        passage = breaker.enter()
        assert passage is not None
        passage.succeeded()
        passage.failed("too late")
        passage.abandoned()

    assert breaker.is_closed


def test_a_call_that_began_before_it_opened_changes_nothing_after(breaker: Breaker) -> None:
    early = breaker.enter()
    assert early is not None
    fail(breaker, 5)

    early.succeeded()

    assert breaker.enter() is None
