"""Limits and quotas together, on trial or not, decided alike by the script in Redis and by the twin in memory."""

import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings

from gateway.gcra import Limit
from gateway.limit_decision import Decision
from gateway.limit_script import PREFIX, decode
from gateway.limit_twin import Twin
from gateway.quotas import Period, Quota
from gateway.redis_limits import COUNTER_GRACE_SECONDS, RedisLimits, open_redis

pytestmark = pytest.mark.asyncio

NOW = 10**9


def limit(per_minute: int, reason: str = "a_limit", *, on_trial: bool = False) -> Limit:
    return Limit(secrets.token_hex(8), per_minute, reason, is_on_trial=on_trial)


def quota(most: int, period: Period = Period.DAY, *, on_trial: bool = False) -> Quota:
    return Quota.of(uuid.uuid4(), period, most, at=datetime.now(UTC), is_on_trial=on_trial)


class InMemory:
    def __init__(self) -> None:
        self.twin = Twin()

    async def take(self, limits: Sequence[Limit], quotas: Sequence[Quota] = ()) -> Decision:
        return self.twin.take(limits, quotas, now=NOW)

    async def raise_to(self, quota: Quota, used: int) -> None:
        self.twin.raise_to(quota, used)

    async def give_back(self, quotas: Iterable[Quota]) -> None:
        self.twin.give_back(quotas)


class InRedis(InMemory):
    def __init__(self, client: Any) -> None:
        self.limits = RedisLimits(client)

    async def take(self, limits: Sequence[Limit], quotas: Sequence[Quota] = ()) -> Decision:
        return await self.limits.take(limits, quotas)

    async def raise_to(self, quota: Quota, used: int) -> None:
        await self.limits.raise_to(quota, used)

    async def give_back(self, quotas: Iterable[Quota]) -> None:
        self.limits.give_back(quotas)
        # Rides along with the next question, and is done before it.
        await self.limits.take([])


@pytest_asyncio.fixture(params=["twin", "redis"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[InMemory]:
    if request.param == "twin":
        yield InMemory()
        return
    request.getfixturevalue("on_services")
    client = open_redis(settings.REDIS_URL)
    yield InRedis(client)
    await client.aclose()


async def until_refused(take: Callable[[], Awaitable[Decision]], *, most: int = 50) -> int:
    for count in range(most):
        if not (await take()).is_admitted:
            return count
    return most


async def test_of_a_quota_of_n_exactly_n_are_admitted(place: InMemory) -> None:
    for most in (1, 2, 5):
        few = quota(most)
        await place.raise_to(few, 0)

        assert await until_refused(lambda few=few: place.take([], [few])) == most  # type: ignore[misc]
        assert (await place.take([], [few])).refused_by is few


async def test_what_was_used_before_counts(place: InMemory) -> None:
    few = quota(5)
    await place.raise_to(few, 3)

    decision = await place.take([], [few])

    assert (decision.is_admitted, list(decision.used)) == (True, [4])
    assert await until_refused(lambda: place.take([], [few])) == 1


async def test_a_counter_is_only_ever_raised(place: InMemory) -> None:
    few = quota(9)
    await place.raise_to(few, 5)
    await place.raise_to(few, 2)
    assert list((await place.take([], [few])).used) == [6]

    await place.raise_to(few, 8)

    assert list((await place.take([], [few])).used) == [9]


async def test_a_quota_without_a_counter_is_unknown_and_nothing_is_charged(place: InMemory) -> None:
    wide, known, unknown = limit(1), quota(5), quota(5)
    await place.raise_to(known, 0)

    decision = await place.take([wide], [known, unknown])

    assert (decision.is_unknown, decision.is_admitted, decision.refused_by) == (True, False, None)
    assert list((await place.take([wide], [known])).used) == [1]


async def test_a_refusal_by_a_limit_comes_before_the_look_for_a_counter(place: InMemory) -> None:
    narrow, unknown = limit(1), quota(5)
    await place.take([narrow])

    decision = await place.take([narrow], [unknown])

    assert (decision.is_unknown, decision.refused_by) == (False, narrow)


async def test_a_used_up_quota_charges_neither_limits_nor_other_quotas(place: InMemory) -> None:
    wide, month, day = limit(2), quota(9, Period.MONTH), quota(1)
    await place.raise_to(month, 0)
    await place.raise_to(day, 1)
    for _ in range(5):
        assert (await place.take([wide], [month, day])).refused_by is day

    assert list((await place.take([wide], [month])).used) == [1]
    assert (await place.take([wide])).is_admitted
    assert (await place.take([wide])).refused_by is wide


async def test_a_refusing_limit_charges_no_quota(place: InMemory) -> None:
    narrow, day = limit(1), quota(9)
    await place.raise_to(day, 0)
    await place.take([narrow])
    for _ in range(5):
        assert (await place.take([narrow], [day])).refused_by is narrow

    assert list((await place.take([], [day])).used) == [1]


async def test_the_first_that_refuses_is_named(place: InMemory) -> None:
    first, second = limit(1), limit(1)
    await place.take([first, second])

    decision = await place.take([limit(5), first, second])

    assert decision.refused_by is first
    assert 59 < decision.retry_after <= 60


async def test_a_limit_on_trial_refuses_nobody_and_says_what_it_would_have_refused(place: InMemory) -> None:
    tried, wide = limit(3, "tried_limit", on_trial=True), limit(50)

    decisions = [await place.take([tried, wide]) for _ in range(5)]

    assert all(decision.is_admitted for decision in decisions)
    assert [decision.on_trial for decision in decisions] == [(), (), (), ("tried_limit",), ("tried_limit",)]


async def test_a_limit_on_trial_is_charged_as_if_it_had_refused(place: InMemory) -> None:
    """Enforced it would not have counted those: so its state is the same on the day on which it is enforced."""
    tried = limit(3, "tried_limit", on_trial=True)
    for _ in range(20):
        last = await place.take([tried])

    enforced = Limit(tried.key, tried.per_minute, tried.reason)
    decision = await place.take([enforced])

    assert last.ahead[0] <= 60_000_000
    assert decision.refused_by is enforced
    assert 0 < decision.retry_after <= 20


async def test_a_limit_on_trial_stands_in_the_way_of_no_other(place: InMemory) -> None:
    tried, enforced = limit(1, "tried_limit", on_trial=True), limit(4)

    assert await until_refused(lambda: place.take([tried, enforced])) == 4
    assert (await place.take([tried, enforced])).refused_by is enforced


async def test_what_is_refused_anyway_is_not_noted_for_a_trial(place: InMemory) -> None:
    tried, enforced = limit(1, "tried_limit", on_trial=True), limit(1)
    await place.take([tried, enforced])

    assert (await place.take([tried, enforced])).on_trial == ()


async def test_a_quota_on_trial_counts_on_as_the_ledger_does(place: InMemory) -> None:
    tried = quota(2, Period.MONTH, on_trial=True)
    await place.raise_to(tried, 0)

    decisions = [await place.take([], [tried]) for _ in range(4)]

    assert [list(decision.used) for decision in decisions] == [[1], [2], [3], [4]]
    assert [decision.on_trial for decision in decisions] == [(), (), ("quota_month",), ("quota_month",)]


async def test_several_on_trial_are_all_named_in_their_order(place: InMemory) -> None:
    each = [limit(1, f"limit_{n}", on_trial=n % 2 == 0) for n in range(4)]
    each[1], each[3] = limit(9, "limit_1"), limit(9, "limit_3")
    tried = quota(1, on_trial=True)
    await place.raise_to(tried, 1)
    await place.take(each)

    assert (await place.take(each, [tried])).on_trial == ("limit_0", "limit_2", "quota_day")


async def test_what_is_given_back_may_be_taken_again(place: InMemory) -> None:
    day, month = quota(2), quota(9, Period.MONTH)
    await place.raise_to(day, 0)
    await place.raise_to(month, 5)
    await place.take([], [day, month])
    await place.take([], [day, month])

    await place.give_back([day, month])

    assert list((await place.take([], [day, month])).used) == [2, 7]
    assert (await place.take([], [day, month])).refused_by is day


async def test_a_counter_never_falls_below_nothing(place: InMemory) -> None:
    day, absent = quota(2), quota(2)
    await place.raise_to(day, 0)

    for _ in range(3):
        await place.give_back([day, absent])

    assert list((await place.take([], [day])).used) == [1]
    assert (await place.take([], [absent])).is_unknown


async def test_how_far_each_limit_is_ahead_is_told(place: InMemory) -> None:
    six, two = limit(6), limit(2)

    first = await place.take([six, two])
    second = await place.take([six, two])

    assert list(first.ahead) == [10_000_000, 30_000_000]
    assert [each.left(ahead) for each, ahead in zip(first.limits, first.ahead, strict=True)] == [5, 1]
    assert 19_000_000 < second.ahead[0] <= 20_000_000
    assert two.left(second.ahead[1]) == 0


async def test_the_twin_goes_along_with_redis() -> None:
    few, tried, day = limit(2), limit(1, "tried_limit", on_trial=True), quota(5)
    by_redis = Decision([few, tried], [day], on_trial=("tried_limit",), ahead=[1, 1], used=[4], is_by_redis=True)
    twin = Twin()

    twin.follow(by_redis, now=NOW)

    assert list(twin.take([], [day], now=NOW).used) == [5]
    assert twin.take([tried], now=NOW).on_trial == ()
    assert twin.take([few], now=NOW).is_admitted
    assert twin.take([few], now=NOW).refused_by is few


async def test_the_twin_forgets_the_oldest_counters() -> None:
    twin = Twin(most_counters=2)
    old, kept, new = quota(5), quota(5), quota(5)
    for each in (old, kept):
        twin.raise_to(each, 1)
    twin.raise_to(old, 1)

    twin.raise_to(new, 1)

    assert [twin.take([], [each], now=NOW).is_unknown for each in (old, kept, new)] == [False, True, False]


async def test_a_counter_in_redis_goes_some_time_after_its_period(on_services: None) -> None:
    client = open_redis(settings.REDIS_URL)
    day = quota(5)
    await RedisLimits(client).raise_to(day, 3)
    await RedisLimits(client).take([], [day])

    goes_at = await client.expiretime(PREFIX + day.key)
    await client.aclose()

    assert goes_at == int(day.ends_at.timestamp()) + COUNTER_GRACE_SECONDS


async def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="length"):
        decode([([limit(1)], [])], [0, 0, 0])
