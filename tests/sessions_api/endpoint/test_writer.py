"""The grouped writer on the real database: together, durable, each row once, and a bad row alone."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.db import connection

from sessions_api.models import LiveSession, SessionRequest
from sessions_api.rows import insert_rows, on_kept_connection
from sessions_api.spool import Spool
from sessions_api.writer import GroupedWriter, WriteFailed
from tenants.models import Tenant
from tests.sessions_api.cast import kill_backends

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture
async def writer(transactional_db: None) -> AsyncIterator[GroupedWriter]:
    writer = GroupedWriter()
    writer.start()
    yield writer
    await asyncio.to_thread(writer.close, seconds=5)


def row(**fields: Any) -> SessionRequest:
    return SessionRequest(id=uuid.uuid4(), at=datetime.now(UTC), outcome="granted", **fields)


def orphan() -> LiveSession:
    """A live session of no tenant: the database refuses it."""
    now = datetime.now(UTC)
    return LiveSession(
        session_id="cksess_1", tenant_id=uuid.uuid4(), key_id=uuid.uuid4(), granted_at=now, expires_at=now
    )


async def in_database(work: Any) -> Any:
    return await asyncio.to_thread(_then_close, work)


def _then_close(work: Any) -> Any:
    try:
        return work()
    finally:
        connection.close()


async def test_who_is_answered_is_in_the_database(writer: GroupedWriter) -> None:
    first = row()

    await writer.write(first, seconds=5)

    assert await in_database(lambda: SessionRequest.objects.get().pk) == first.pk


async def test_many_at_once_share_few_flushes(writer: GroupedWriter) -> None:
    await asyncio.gather(*[writer.write(row(), seconds=10) for _ in range(1000)])

    assert await in_database(SessionRequest.objects.count) == 1000
    assert writer.counts.rows == 1000
    assert writer.counts.flushes < 100


async def test_a_bad_row_fails_alone_and_takes_its_request_s_other_rows_with_it(writer: GroupedWriter) -> None:
    good = [writer.write(row(request_id=f"good-{number}"), seconds=10) for number in range(20)]
    bad = writer.write(row(request_id="bad"), orphan(), seconds=10)

    *outcomes, failure = await asyncio.gather(*good, bad, return_exceptions=True)

    assert outcomes == [True] * 20
    assert isinstance(failure, WriteFailed)
    written = await in_database(lambda: set(SessionRequest.objects.values_list("request_id", flat=True)))
    assert written == {f"good-{number}" for number in range(20)}


async def test_rows_that_nobody_foresaw_fail_alone_and_end_no_thread(transactional_db: None, tmp_path: Path) -> None:
    # The spool has no form for tenants, which no caller writes.
    writer = GroupedWriter(Spool(tmp_path / "spool", max_bytes=1_000_000), is_answering=lambda: False)
    writer.start()

    with pytest.raises(KeyError):
        await writer.write(Tenant(), seconds=5)

    await writer.write(row(), seconds=5)
    await asyncio.to_thread(writer.close, seconds=5)


async def test_rows_whose_commit_was_not_answered_are_not_written_twice(writer: GroupedWriter) -> None:
    rows = [row() for _ in range(3)]
    await in_database(rows[0].save)

    await in_database(lambda: _write_as_after_a_lost_answer(rows))

    assert await in_database(SessionRequest.objects.count) == 3


async def test_what_is_queued_when_the_end_comes_is_written(transactional_db: None) -> None:
    writer = GroupedWriter()
    waiting = [asyncio.create_task(writer.write(row(), seconds=10)) for _ in range(50)]
    await asyncio.sleep(0)

    writer.start()
    await asyncio.to_thread(writer.close, seconds=10)

    await asyncio.gather(*waiting)
    assert await in_database(SessionRequest.objects.count) == 50


async def test_one_who_waits_too_long_is_told_and_its_rows_are_left_out(transactional_db: None) -> None:
    writer = GroupedWriter()
    with pytest.raises(WriteFailed):
        await writer.write(row(), seconds=0.05)

    writer.start()
    await asyncio.to_thread(writer.close, seconds=10)

    assert await in_database(SessionRequest.objects.count) == 0


async def test_a_killed_connection_is_replaced_and_no_row_is_lost(backends_die: None, writer: GroupedWriter) -> None:
    stop = threading.Event()
    killer = threading.Thread(target=_kill_backends_until, args=(stop,))
    killer.start()
    granted = set()
    for _ in range(30):
        group = [row() for _ in range(20)]
        outcomes = await asyncio.gather(*[writer.write(one, seconds=10) for one in group], return_exceptions=True)
        granted |= {one.pk for one, outcome in zip(group, outcomes, strict=True) if outcome is True}
    stop.set()
    await asyncio.to_thread(killer.join)
    await writer.write(row(), seconds=5)

    # Of a write that failed twice nobody knows; of one that was answered everybody does.
    assert granted
    assert await in_database(lambda: granted <= set(SessionRequest.objects.values_list("pk", flat=True)))


def _write_as_after_a_lost_answer(rows: list[SessionRequest]) -> None:
    on_kept_connection(lambda _: insert_rows(rows, once_more=True))


def _kill_backends_until(stop: threading.Event) -> None:
    while not stop.wait(0.1):
        kill_backends()
