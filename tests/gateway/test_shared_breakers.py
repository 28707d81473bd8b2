"""U12: the breaker of a host, which many callers share, and the breakers of a process by name."""

import pytest

from gateway.breaker import OPEN_SECONDS, Breaker, Breakers
from tests.gateway.callers import Clock, call


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_name_has_one_breaker_and_the_oldest_names_are_forgotten(clock: Clock) -> None:
    breakers = Breakers(most=2, clock=clock)
    first, second = breakers.of("first"), breakers.of("second")
    assert breakers.of("first") is first

    third = breakers.of("third")

    assert breakers.of("first") is first
    assert breakers.of("third") is third
    assert breakers.of("second") is not second


def test_the_breakers_of_a_process_go_by_its_one_clock(clock: Clock) -> None:
    breakers = Breakers(clock=clock)
    host, pair = breakers.of_host("https://api.example/v1"), breakers.of("pair")
    for number in range(5):
        call(host, f"caller-{number}", fails=True)
        call(pair, "anybody", fails=True)
    assert (host.enter(), pair.enter()) == (None, None)

    clock.now += OPEN_SECONDS

    assert host.enter() is not None
    assert pair.enter() is not None


def test_a_host_has_one_breaker_that_its_callers_share(clock: Clock) -> None:
    breakers = Breakers(clock=clock)
    host = breakers.of_host("https://api.example/v1")

    for _ in range(5):
        call(host, "alder", fails=True)

    assert breakers.of_host("https://api.example/v1") is host
    assert breakers.of_host("https://other.example/v1") is not host
    # One caller's failures close a breaker of its own, and never one that is shared.
    assert host.is_closed


def test_one_caller_s_failures_never_close_the_host_to_the_others(clock: Clock) -> None:
    host = Breaker(is_shared=True, clock=clock)
    call(host, "birch", fails=False)

    for _ in range(64):
        call(host, "alder", fails=True)

    assert host.is_closed


def test_a_host_that_fails_most_of_its_callers_is_left_alone(clock: Clock) -> None:
    host = Breaker(is_shared=True, clock=clock)
    call(host, "served", fails=False)
    call(host, "unlucky", fails=True)
    call(host, "unlucky", fails=False)

    for number in range(4):
        assert host.is_closed
        call(host, f"failing-{number}", fails=True)

    assert not host.is_closed


def test_two_callers_without_any_success_are_enough(clock: Clock) -> None:
    host = Breaker(is_shared=True, clock=clock)
    for _ in range(4):
        call(host, "alder", fails=True)
    assert host.is_closed

    call(host, "birch", fails=True)

    assert not host.is_closed


def test_a_host_that_serves_as_many_callers_as_it_fails_is_left_alone(clock: Clock) -> None:
    host = Breaker(is_shared=True, clock=clock)
    for name in ("served-1", "served-2"):
        call(host, name, fails=False)
    for _ in range(4):
        call(host, "alder", fails=True)

    call(host, "birch", fails=True)

    assert not host.is_closed


def test_callers_that_are_served_at_times_do_not_count_as_failing(clock: Clock) -> None:
    host = Breaker(is_shared=True, clock=clock)
    for name in ("alder", "birch"):
        call(host, name, fails=False)

    for _ in range(5):
        for name in ("alder", "birch"):
            call(host, name, fails=True)

    assert host.is_closed
