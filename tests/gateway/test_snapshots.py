"""Two seconds, 300 seconds, and one load for all who wait; against a database whose moods the test decides."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
import pytest_asyncio
from django.db import OperationalError

from encryption.secret import Secret
from gateway.errors import PublicError
from gateway.snapshots import FRESH_SECONDS, POLL_TIMEOUT, STALE_SECONDS, SnapshotStore
from tenants.origins import OriginRule, OriginRules
from tenants.public_ids import mint
from tenants.snapshot import TenantLimits, TenantSnapshot

pytestmark = pytest.mark.asyncio
KEY = Secret("site key of these tests")


class Database:
    """In place of the real one, which cannot be told to hang for just one query."""

    def __init__(self) -> None:
        self.number = 1
        self.tenants: dict[str, TenantSnapshot] = {}
        self.loads: list[str] = []
        self.polls = 0
        self.is_down = False
        self.is_locked = False
        self.seconds = 0.0

    def public_id_key(self) -> Secret:
        return KEY

    def epoch(self) -> int:
        self.polls += 1
        self._answer()
        return self.number

    def snapshot(self, public_id: str) -> TenantSnapshot | None:
        self.loads.append(public_id)
        self._answer()
        if self.is_locked:
            raise OperationalError("only this table is locked")
        return self.tenants.get(public_id)

    def _answer(self) -> None:
        time.sleep(self.seconds)
        if self.is_down:
            raise OperationalError("the database is away")

    def add(self, *, is_active: bool = True, public_id: str = "") -> str:
        public_id = public_id or mint(KEY)
        self.tenants[public_id] = tenant(public_id, is_active=is_active)
        self.number += 1
        return public_id


class Clock:
    """Real time, and the hours that a test has let pass."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.passed


def tenant(public_id: str, *, is_active: bool = True) -> TenantSnapshot:
    return TenantSnapshot(
        id=uuid.uuid4(),
        public_id=public_id,
        name="Alder",
        is_active=is_active,
        state="active" if is_active else "suspended",
        origins=OriginRules([]),
        assistants={},
        default_assistant=None,
        user_scope=None,
        upstream=None,
        limits=TenantLimits(per_tenant=1, per_visitor=1, per_address=1, new_visitors=1),
        visitor_epoch=0,
        fallback_text="",
        fallback_url="",
    )


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def store(database: Database, clock: Clock) -> AsyncIterator[SnapshotStore]:
    store = SnapshotStore(database, clock=clock)
    await store.open()
    yield store
    database.seconds = 0
    await store.close()


@pytest.mark.proof("L2")
async def test_a_thousand_visitors_of_a_cold_tenant_cost_one_load(store: SnapshotStore, database: Database) -> None:
    public_id = database.add()
    await store.confirm()
    database.seconds = 0.05

    found = await asyncio.gather(*[store.get(public_id) for _ in range(1000)])

    assert {snapshot.public_id for snapshot in found if snapshot} == {public_id}
    assert database.loads == [public_id]


async def test_one_who_gives_up_does_not_take_the_load_away_from_the_others(
    store: SnapshotStore, database: Database
) -> None:
    public_id = database.add()
    await store.confirm()
    database.seconds = 0.05
    asking = [asyncio.create_task(store.get(public_id)) for _ in range(3)]
    await asyncio.sleep(0.01)

    asking[0].cancel()
    others = await asyncio.gather(*asking[1:])

    assert all(others)
    assert database.loads == [public_id]


async def test_made_up_ids_never_reach_the_database(store: SnapshotStore, database: Database) -> None:
    polls = database.polls

    found = [await store.get("tn_" + f"{number:028d}") for number in range(10_000)]

    assert found == [None] * 10_000
    assert database.loads == []
    assert database.polls - polls <= 3


async def test_an_id_of_nobody_is_looked_up_once(store: SnapshotStore, database: Database) -> None:
    gone = mint(KEY)

    assert [await store.get(gone) for _ in range(50)] == [None] * 50
    assert database.loads == [gone]


async def test_a_change_is_seen_by_the_poll_and_loaded_anew(store: SnapshotStore, database: Database) -> None:
    public_id = database.add()
    await store.confirm()
    assert (await store.get(public_id)).is_active

    database.add(public_id=public_id, is_active=False)
    began = time.monotonic()
    while (await store.get(public_id)).is_active:
        await asyncio.sleep(0.01)

    assert time.monotonic() - began < 2


async def test_without_a_poll_a_snapshot_is_confirmed_before_it_serves(
    store: SnapshotStore, database: Database, clock: Clock
) -> None:
    public_id = database.add()
    await store.confirm()
    await store.get(public_id)
    database.add(public_id=public_id, is_active=False)

    clock.passed += FRESH_SECONDS

    assert not (await store.get(public_id)).is_active


async def test_who_was_asked_for_lately_is_loaded_before_anybody_waits(
    store: SnapshotStore, database: Database
) -> None:
    public_id = database.add()
    await store.confirm()
    await store.get(public_id)

    database.add(public_id=public_id)
    await _until(lambda: database.loads.count(public_id) == 2)


@pytest.mark.proof("I2")
async def test_a_known_tenant_goes_on_for_300_seconds_without_a_database(
    store: SnapshotStore, database: Database, clock: Clock
) -> None:
    public_id = database.add()
    await store.confirm()
    await store.get(public_id)
    database.is_down = True
    await store.confirm()

    clock.passed += STALE_SECONDS - 5
    began = time.monotonic()
    assert await store.get(public_id)
    assert time.monotonic() - began < 0.1

    clock.passed += 10
    assert await _refusal(store, public_id) == ("platform_unavailable", "database_silent")


@pytest.mark.proof("O8")
async def test_a_website_that_is_removed_while_nothing_answers_passes_for_300_seconds_at_most(
    store: SnapshotStore, database: Database, clock: Clock
) -> None:
    public_id = database.add()
    listed = OriginRules([OriginRule("https", "shop.example")])
    database.tenants[public_id] = replace(database.tenants[public_id], origins=listed)
    await store.confirm()
    await store.get(public_id)
    database.is_down = True
    database.add(public_id=public_id)
    await store.confirm()

    clock.passed += STALE_SECONDS - 5
    outdated = await store.get(public_id)
    assert outdated is not None
    assert outdated.origins.decide("https://shop.example", now=0)
    clock.passed += 5
    assert await _refusal(store, public_id) == ("platform_unavailable", "database_silent")


@pytest.mark.proof("I2")
async def test_a_database_that_hangs_is_as_silent_as_one_that_is_away(
    store: SnapshotStore, database: Database, clock: Clock
) -> None:
    public_id = database.add()
    await store.confirm()
    await store.get(public_id)
    database.seconds = POLL_TIMEOUT + 0.3
    clock.passed += 10

    assert await store.get(public_id)
    assert not store.is_answering


@pytest.mark.proof("I2")
async def test_a_cold_tenant_without_a_database_is_unavailable_and_never_unknown(
    store: SnapshotStore, database: Database
) -> None:
    public_id = database.add()
    database.is_down = True

    assert await _refusal(store, public_id) == ("platform_unavailable", "database_silent")
    assert await _refusal(store, mint(KEY)) == ("platform_unavailable", "database_silent")
    assert await store.get("tn_" + "0" * 28) is None


async def test_a_snapshot_that_is_known_to_be_outdated_never_serves(store: SnapshotStore, database: Database) -> None:
    public_id = database.add()
    await store.confirm()
    await store.get(public_id)
    database.add(public_id=public_id, is_active=False)
    database.is_locked = True
    await store.confirm()

    assert await _refusal(store, public_id) == ("platform_unavailable", "database_silent")
    database.is_locked = False
    assert not (await store.get(public_id)).is_active


@pytest.mark.proof("I3")
async def test_a_process_starts_without_a_database_and_becomes_ready(database: Database) -> None:
    database.is_down = True
    public_id = database.add()
    store = SnapshotStore(database)
    await store.open()
    refusal = await _refusal(store, public_id)

    database.is_down = False
    await _until(lambda: store.is_answering)

    assert refusal == ("platform_unavailable", "database_silent")
    assert await store.get(public_id)
    await store.close()


async def _refusal(store: SnapshotStore, public_id: str) -> tuple[str, str]:
    with pytest.raises(PublicError) as caught:
        await store.get(public_id)
    assert caught.value.retry_after
    return caught.value.code.value, caught.value.reason


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)
