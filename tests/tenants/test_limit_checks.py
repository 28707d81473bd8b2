"""A mistyped limit of the site stops a start with a sentence."""

import pytest

from tenants.checks import check_limits
from tenants.limit_names import LimitName


def ids() -> list[str]:
    return [problem.id or "" for problem in check_limits(None)]


def test_the_defaults_are_fit():
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SESSIONS_PER_MINUTE_TENANT", 0, ["tenants.E001"]),
        ("SESSIONS_PER_MINUTE_VISITOR", 0, ["tenants.E001"]),
        ("SESSIONS_PER_MINUTE_ADDRESS", -1, ["tenants.E001"]),
        ("NEW_VISITORS_PER_MINUTE_TENANT", 0, ["tenants.E001"]),
        ("NEW_VISITORS_PER_MINUTE_TENANT", 1, []),
        ("SESSIONS_PER_DAY_TENANT", 0, []),
        ("SESSIONS_PER_DAY_TENANT", -1, ["tenants.E001"]),
        ("SESSIONS_PER_MONTH_TENANT", -1, ["tenants.E001"]),
        ("LIMITS_LOG_ONLY", LimitName.values, []),
        ("LIMITS_LOG_ONLY", ["visitor", "quota_day"], ["tenants.E002"]),
    ],
)
def test_what_would_refuse_everybody_or_names_no_limit_is_an_error(settings, name, value, found):
    setattr(settings, name, value)

    assert ids() == found
