"""Which requested header names a preflight grants."""

import pytest

from gateway.cors import grantable


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("", []),
        (",,,", []),
        ("Content-Type", ["Content-Type"]),
        (" content-type ,x-csrftoken", ["content-type", "x-csrftoken"]),
        ("bad name, good-name", ["good-name"]),
        ("inj\r\nected", []),
        ("x" * 65, []),
        ("é", []),
    ],
)
def test_only_valid_tokens_are_granted(asked: str, granted: list[str]) -> None:
    assert grantable(asked) == granted


def test_at_most_twenty_are_granted() -> None:
    assert len(grantable(",".join(f"x-{number}" for number in range(100)))) == 20
