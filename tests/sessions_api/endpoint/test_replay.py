"""Spooled rows on their way into the real database: each once, whatever has happened to them and around them meanwhile."""

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection, transaction

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest, VisitorLink
from sessions_api.replay import Replay, write_lines
from sessions_api.rows import is_away
from sessions_api.sightings import Sighting, VisitorRevoked
from sessions_api.spool import Spool, waiting_files
from sessions_api.spool_lines import to_line
from sessions_api.writer import GroupedWriter, WriteFailed
from tests.sessions_api.cast import Shop, open_shop

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
ROOMY = 10_000_000


@pytest.fixture
def shop(sandbox: Sandbox, transactional_db: None) -> Shop:
    return open_shop(sandbox)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", max_bytes=ROOMY)
    yield spool
    spool.close()


def grant(shop: Shop, ref: str = "") -> tuple[SessionRequest, LiveSession, VisitorLink]:
    ref = ref or uuid.uuid4().hex
    live = LiveSession(
        session_id=f"cksess_{ref}",
        tenant_id=shop.tenant.pk,
        key_id=shop.key.pk,
        visitor_ref=ref,
        granted_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )
    request = SessionRequest(at=NOW, tenant_id=shop.tenant.pk, outcome="granted", visitor_ref=ref)
    return request, live, VisitorLink(user=f"v1.{ref}", tenant_id=shop.tenant.pk, ref=ref, first_seen_at=NOW)


def replay(spool: Spool) -> Replay:
    return Replay(spool, on_written=lambda _: None)


def counts() -> tuple[int, int, int]:
    return SessionRequest.objects.count(), LiveSession.objects.count(), VisitorLink.objects.count()


def test_what_was_spooled_is_written_and_the_file_is_gone(shop: Shop, spool: Spool, tmp_path: Path) -> None:
    spool.append([to_line(grant(shop)) for _ in range(450)])

    replay(spool)._round()

    assert counts() == (450, 450, 450)
    assert waiting_files(tmp_path / "spool") == []


@pytest.mark.proof("I2")
def test_rows_that_are_there_already_are_passed_over(shop: Shop) -> None:
    grants = [grant(shop) for _ in range(6)]
    lines = [to_line(rows) for rows in grants]
    # An unanswered commit had written some whole, and a crash came between the commit and the file's removal for others.
    for row in grants[0]:
        row.save(force_insert=True)
    write_lines(lines[:3])

    for _ in range(2):
        assert write_lines(lines) == []

    assert counts() == (6, 6, 6)


@pytest.mark.proof("I2")
def test_a_flush_that_hangs_while_its_rows_are_replayed_leaves_each_once(
    on_services: None, shop: Shop, spool: Spool
) -> None:
    """Its transaction commits only after the replay has begun: the replay waits for it and passes over its rows."""
    rows = grant(shop)
    is_inserted, may_commit = threading.Event(), threading.Event()

    def hanging_flush() -> None:
        with transaction.atomic():
            for row in rows:
                row.save(force_insert=True)
            is_inserted.set()
            may_commit.wait(10)
        connection.close()

    flush = threading.Thread(target=hanging_flush)
    flush.start()
    is_inserted.wait(10)
    threading.Timer(0.5, may_commit.set).start()

    assert write_lines([to_line(rows)]) == []

    flush.join()
    assert counts() == (1, 1, 1)


def test_of_a_deleted_tenant_the_ledger_s_row_stays_and_the_rest_is_left_out(shop: Shop, sandbox: Sandbox) -> None:
    gone, other = grant(shop), grant(open_shop(sandbox, "Birch"))
    shop.tenant.delete()

    assert write_lines([to_line(gone), to_line(other)]) == []

    assert counts() == (2, 1, 1)
    assert LiveSession.objects.get().pk == other[1].pk


def test_a_line_that_was_changed_is_never_written_and_is_set_aside(shop: Shop, spool: Spool, tmp_path: Path) -> None:
    good, forged = to_line(grant(shop)), to_line(grant(shop)).replace(b"granted", b"refused")
    spool.append([good, forged, b"nonsense\n"])

    replay(spool)._round()

    assert counts() == (1, 1, 1)
    assert [path.read_bytes() for path in (tmp_path / "spool").iterdir()] == [forged + b"nonsense\n"]


def test_a_row_that_the_database_refuses_is_set_aside_and_stops_nobody(
    on_services: None, shop: Shop, spool: Spool, tmp_path: Path
) -> None:
    long = SessionRequest(at=NOW, tenant_id=shop.tenant.pk, outcome="x" * 33)
    spool.append([to_line(grant(shop)), to_line([long]), to_line(grant(shop))])

    replay(spool)._round()

    assert counts() == (2, 2, 2)
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".bad"]


@pytest.mark.parametrize(
    ("issued_before", "seconds", "is_cancelled"), [(100, -50, True), (100, 0, True), (0, -1, False), (None, 1, True)]
)
def test_sessions_of_a_visitor_who_was_revoked_meanwhile_are_marked_for_cancelling(
    shop: Shop, issued_before: int | None, seconds: int, is_cancelled: bool
) -> None:
    rows = grant(shop, ref="v" * 32)
    RevokedVisitor.objects.create(ref="v" * 32, tenant=shop.tenant, revoked_at=NOW + timedelta(seconds=seconds))
    sighting = None if issued_before is None else Sighting("v" * 32, int(NOW.timestamp()) - issued_before)

    write_lines([to_line(rows, sighting)])

    assert (LiveSession.objects.get().cancel_requested_at is not None) is is_cancelled


def test_a_database_that_is_away_leaves_the_file_where_it_is(shop: Shop, spool: Spool, tmp_path: Path) -> None:
    spool.append([to_line(grant(shop))])

    with connection.execute_wrapper(_refuses):
        replay(spool)._round()

    assert len(waiting_files(tmp_path / "spool")) == 1
    replay(spool)._round()
    assert counts() == (1, 1, 1)


def test_a_read_only_database_counts_as_away(on_services: None, shop: Shop) -> None:
    with transaction.atomic():
        connection.cursor().execute("SET TRANSACTION READ ONLY")
        with pytest.raises(InternalError) as refused:
            grant(shop)[0].save(force_insert=True)
        connection.set_rollback(True)

    assert is_away(refused.value)


def test_a_read_only_file_counts_as_away(shop: Shop) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    connection.cursor().execute("PRAGMA query_only = ON")
    try:
        with pytest.raises(OperationalError, match="readonly") as refused:
            grant(shop)[0].save(force_insert=True)
    finally:
        connection.cursor().execute("PRAGMA query_only = OFF")

    assert is_away(refused.value)


def test_while_the_database_takes_none_rows_are_spooled_and_written_afterwards(shop: Shop, tmp_path: Path) -> None:
    is_answering = False

    async def work() -> tuple[int, int, bool, bool]:
        nonlocal is_answering
        writer = GroupedWriter(Spool(tmp_path / "spool", max_bytes=ROOMY), is_answering=lambda: is_answering)
        writer.start()
        committed = await asyncio.gather(*[writer.write(*grant(shop), seconds=5) for _ in range(100)])
        spooled = writer.counts.spooled
        is_answering = True
        is_committed = await writer.write(*grant(shop), seconds=5)
        await asyncio.to_thread(writer.close, seconds=10)
        return spooled, writer.counts.rows, any(committed), is_committed

    assert asyncio.run(work()) == (300, 3, False, True)
    assert counts() == (101, 101, 101)
    assert list((tmp_path / "spool").iterdir()) == []


def test_with_a_full_spool_and_no_database_nothing_is_recorded_and_it_says_so(shop: Shop, tmp_path: Path) -> None:
    async def work() -> str:
        writer = GroupedWriter(Spool(tmp_path / "spool", max_bytes=10), is_answering=lambda: False)
        writer.start()
        with pytest.raises(WriteFailed):
            await writer.write(*grant(shop), seconds=5)
        refuses = writer.refuses
        await asyncio.to_thread(writer.close, seconds=10)
        return refuses

    # Room for ten bytes is room, as far as anybody can tell before.
    assert asyncio.run(work()) == ""
    assert counts() == (0, 0, 0)


def test_refusals_leave_half_of_the_spool_to_grants(shop: Shop, tmp_path: Path) -> None:
    async def work() -> None:
        writer = GroupedWriter(Spool(tmp_path / "spool", max_bytes=6_000), is_answering=lambda: False)
        writer.start()
        refused = 0
        for _ in range(20):
            try:
                await writer.write(grant(shop)[0], seconds=5, is_essential=False)
            except WriteFailed:
                refused += 1
        assert 0 < refused < 20
        await writer.write(*grant(shop), seconds=5)
        await asyncio.to_thread(writer.close, seconds=10)

    asyncio.run(work())


def test_a_revoked_token_s_rows_are_left_out_and_the_others_of_its_group_are_written(shop: Shop) -> None:
    RevokedVisitor.objects.create(ref="v" * 32, tenant=shop.tenant, revoked_at=NOW)
    now = int(NOW.timestamp())

    async def work() -> list[Any]:
        writer = GroupedWriter()
        waiting = [
            asyncio.create_task(writer.write(*grant(shop, ref), seconds=5, unless_revoked=sighting))
            for ref, sighting in (
                ("v" * 32, Sighting("v" * 32, now)),
                ("v" * 31 + "w", Sighting("v" * 32, now + 1)),
                ("x" * 32, Sighting("x" * 32, now)),
                ("y" * 32, None),
            )
        ]
        await asyncio.sleep(0)
        writer.start()
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.to_thread(writer.close, seconds=5)
        return outcomes

    outcomes = asyncio.run(work())

    assert isinstance(outcomes[0], VisitorRevoked)
    assert (outcomes[0].ref, outcomes[0].revoked_at) == ("v" * 32, now)
    assert outcomes[1:] == [True, True, True]
    assert counts() == (3, 3, 3)


def test_only_a_group_with_a_visitor_s_token_asks_for_revocations(shop: Shop) -> None:
    from sessions_api.groups import Entry
    from sessions_api.writer import _write

    def statements(*sightings: Sighting | None) -> list[str]:
        seen: list[str] = []

        def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
            seen.append(sql)
            return execute(sql, *rest)

        loop = asyncio.new_event_loop()
        entries = [Entry(grant(shop), sighting, True, loop, loop.create_future()) for sighting in sightings]
        with connection.execute_wrapper(note), transaction.atomic():
            _write(entries, once_more=False)
        loop.close()
        return [sql for sql in seen if "revokedvisitor" in sql]

    assert statements(None, None) == []
    assert len(statements(None, Sighting("a", 1), Sighting("b", 2), Sighting("b", 3))) == 1


def _refuses(execute: Any, sql: str, *rest: Any) -> Any:
    raise OperationalError("server closed the connection unexpectedly")
