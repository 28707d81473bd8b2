"""The arithmetic of one limit, at its edges."""

import pytest

from gateway.gcra import MINUTE, Limit


@pytest.mark.parametrize(
    ("per_minute", "interval", "tolerance"),
    [
        (1, 60_000_000, 0),
        (2, 30_000_000, 30_000_000),
        (7, 8_571_428, 6 * 8_571_428),
        (60, 1_000_000, 59_000_000),
        (MINUTE, 1, MINUTE - 1),
        (MINUTE + 1, 1, MINUTE),
    ],
)
def test_a_limit_of_n_has_an_interval_of_a_minute_by_n_and_lets_n_come_at_once(per_minute, interval, tolerance):
    limit = Limit("key", per_minute, "a_limit")

    assert (limit.interval, limit.tolerance) == (interval, tolerance)


@pytest.mark.parametrize(
    ("ahead", "left"),
    [(0, 6), (1, 5), (10_000_000, 5), (10_000_001, 4), (50_000_000, 1), (50_000_001, 0), (60_000_000, 0), (10**9, 0)],
)
def test_what_is_left_is_how_many_would_be_admitted_at_once(ahead, left):
    assert Limit("key", 6, "a_limit").left(ahead) == left


def test_a_limit_is_neither_on_trial_nor_the_callers_own_unless_that_is_said():
    limit = Limit("key", 6, "a_limit")

    assert (limit.is_on_trial, limit.is_callers) == (False, False)
