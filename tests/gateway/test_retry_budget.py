"""Retries are a tenth of the calls at most, however the calls come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.retry_budget import MOST_SAVED, RetryBudget


def test_it_starts_empty() -> None:
    assert not RetryBudget().take()


def test_ten_calls_pay_for_one_retry() -> None:
    budget = RetryBudget()
    for _ in range(9):
        budget.called()
    assert not budget.take()

    budget.called()

    assert budget.take()
    assert not budget.take()


def test_a_quiet_hour_saves_no_more_than_ten() -> None:
    budget = RetryBudget()
    for _ in range(100_000):
        budget.called()

    assert sum(budget.take() for _ in range(100)) == MOST_SAVED


@pytest.mark.proof("F3")
@given(st.lists(st.booleans(), max_size=500))
def test_in_any_order_it_is_a_tenth_and_never_refused_needlessly(wishes: list[bool]) -> None:
    budget, calls, retries, saved = RetryBudget(), 0, 0, 0
    for wants_retry in wishes:
        if wants_retry:
            is_given = budget.take()
            assert is_given is (saved >= 10)
            retries += is_given
            saved -= 10 * is_given
        else:
            budget.called()
            calls += 1
            saved = min(saved + 1, 100)
        assert retries * 10 <= calls
