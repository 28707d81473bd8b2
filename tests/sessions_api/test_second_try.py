"""Which failures of OpenAI are tried once more, when, and how often."""

import time
import uuid
from typing import Any, cast

import pytest

from chatkit_client.client import Created
from chatkit_client.errors import (
    ChatKitError,
    KeyRejected,
    Reason,
    Throttled,
    UpstreamInvalid,
    UpstreamUnavailable,
)
from gateway.retry_budget import RetryBudget
from sessions_api.attempt import Attempt
from sessions_api.mint import _pause_after, _SecondTry

TABLE = [
    (UpstreamUnavailable(Reason.CONNECT_FAILED), True, (0.05, 0.25)),
    (UpstreamUnavailable(Reason.CONNECT_FAILED), False, (0.05, 0.25)),
    (UpstreamUnavailable(Reason.SERVER_ERROR, status=503, retry_after=1), True, (1.05, 1.25)),
    (UpstreamUnavailable(Reason.SERVER_ERROR, status=503, retry_after=2), False, (2.05, 2.25)),
    (UpstreamUnavailable(Reason.SERVER_ERROR, status=503, retry_after=3), True, None),
    (UpstreamUnavailable(Reason.SERVER_ERROR, status=503), True, None),
    (UpstreamUnavailable(Reason.SERVER_ERROR, status=500, retry_after=1), True, None),
    (Throttled(Reason.THROTTLED, status=429, retry_after=1), True, (1.05, 1.25)),
    # Another key may serve at once.
    (Throttled(Reason.THROTTLED, status=429, retry_after=1), False, None),
    (Throttled(Reason.THROTTLED, status=429, retry_after=20), True, None),
    (Throttled(Reason.THROTTLED, status=429), True, None),
    # A session may have been made, or the time is used up.
    (UpstreamUnavailable(Reason.RESET), True, None),
    (UpstreamUnavailable(Reason.DEADLINE), True, None),
    (UpstreamUnavailable(Reason.TLS_FAILED), True, None),
    (UpstreamInvalid(Reason.BODY_INVALID, status=200), True, None),
    (KeyRejected(Reason.INVALID_KEY, status=401), True, None),
]


@pytest.mark.parametrize(("error", "is_last_key", "between"), TABLE, ids=lambda value: str(value)[:60])
def test_only_what_passes_by_itself_is_tried_again(
    error: ChatKitError, is_last_key: bool, between: tuple[float, float] | None
) -> None:
    pauses = [_pause_after(error, is_last_key=is_last_key) for _ in range(50)]

    if between is None:
        assert pauses == [None] * 50
    else:
        assert all(pause is not None and between[0] <= pause <= between[1] for pause in pauses)
        assert len(set(pauses)) > 10


class Upstream:
    """Refuses so many connections, and notes how it was called."""

    def __init__(self, refuses: int) -> None:
        self.refuses = refuses
        self.calls: list[dict[str, Any]] = []

    async def create(self, **options: Any) -> Created:
        self.calls.append(options)
        if len(self.calls) <= self.refuses:
            raise UpstreamUnavailable(Reason.CONNECT_FAILED, latency_ms=1)
        return cast(Created, "made")


def saved(retries: int) -> RetryBudget:
    budget = RetryBudget()
    for _ in range(10 * retries):
        budget.called()
    return budget


def attempt() -> Attempt:
    return Attempt(str(uuid.uuid4()), time.monotonic(), "https://shop.example", "192.0.2.1", "", is_preflight=False)


async def run(upstream: Upstream, second_try: _SecondTry, *, is_allowed: bool = True) -> Created:
    return await second_try.run(upstream.create, attempt(), is_allowed=is_allowed, is_last_key=True)


@pytest.mark.asyncio
async def test_the_second_call_is_on_a_fresh_connection_within_the_same_deadline() -> None:
    upstream = Upstream(refuses=1)

    assert await run(upstream, _SecondTry(saved(1), ends_at=time.monotonic() + 8)) == "made"

    assert [call.get("fresh", False) for call in upstream.calls] == [False, True]
    assert upstream.calls[1]["deadline"] < upstream.calls[0]["deadline"] <= 8


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("budget", "seconds", "is_allowed"), [(0, 8.0, True), (1, 1.0, True), (1, 8.0, False)],
    ids=["no budget", "no time", "a probe"],
)  # fmt: skip
async def test_without_budget_or_time_or_as_a_probe_there_is_one_call(
    budget: int, seconds: float, is_allowed: bool
) -> None:
    upstream = Upstream(refuses=1)

    with pytest.raises(UpstreamUnavailable):
        await run(upstream, _SecondTry(saved(budget), ends_at=time.monotonic() + seconds), is_allowed=is_allowed)

    assert len(upstream.calls) == 1


@pytest.mark.asyncio
async def test_whichever_keys_fail_a_visitor_s_mint_is_repeated_once() -> None:
    upstream, second_try = Upstream(refuses=9), _SecondTry(saved(5), ends_at=time.monotonic() + 8)

    for _ in range(2):
        with pytest.raises(UpstreamUnavailable):
            await run(upstream, second_try)

    assert len(upstream.calls) == 3
