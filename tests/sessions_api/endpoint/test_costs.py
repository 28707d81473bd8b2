"""What a session costs, in things that can be counted: rows, statements, calls and connections. Times are for `make bench`."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sandbox.testing import Sandbox
from sessions_api.insert import insert_together
from sessions_api.models import LiveSession, SessionRequest
from tests.chatkit_client.cast import client_of, mint
from tests.chatkit_client.upstream import good
from tests.platform_server import Platform
from tests.sessions_api.cast import Shop

# On SQLite one statement takes 999 values, 22 to a row.
SESSIONS = 40


def test_a_session_is_one_call_one_row_and_one_live_session(platform: Platform, shop: Shop, sandbox: Sandbox) -> None:
    answers = [shop.ask(platform).status for _ in range(5)]

    assert answers == [200] * 5
    assert len(sandbox.creates()) == 5
    assert SessionRequest.objects.count() == 5
    assert LiveSession.objects.count() == 5


def flush_of(shop: Shop, sessions: int) -> dict[type, list]:
    now = datetime.now(UTC)
    rows = [SessionRequest(at=now, tenant=shop.tenant, outcome="granted") for _ in range(sessions)]
    live = [
        LiveSession(session_id=uuid.uuid4().hex, tenant=shop.tenant, key=shop.key, granted_at=now, expires_at=now)
        for _ in range(sessions)
    ]
    return {SessionRequest: rows, LiveSession: live}


def test_a_flush_is_one_statement_however_many_sessions_it_holds(on_services: None, shop: Shop) -> None:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        insert_together(flush_of(shop, SESSIONS))

    assert len(captured) == 1
    assert SessionRequest.objects.count() == LiveSession.objects.count() == SESSIONS


def test_on_sqlite_a_flush_is_one_statement_for_each_model(shop: Shop) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("runs in the suite's first pass, on SQLite")

    with CaptureQueriesContext(connection) as captured:
        insert_together(flush_of(shop, 20))

    assert [query["sql"].split()[0] for query in captured] == ["BEGIN", "INSERT", "INSERT", "COMMIT"]


@pytest.mark.parametrize("bad", [{"outcome": "x" * 33}, {"origin": "a\x00b"}, {"count": -1}])
def test_a_flush_with_one_bad_value_writes_nothing_at_all(on_services: None, shop: Shop, bad: dict) -> None:
    flush = flush_of(shop, 2)
    for name, value in bad.items():
        setattr(flush[SessionRequest][1], name, value)

    with pytest.raises(Exception, match=r"value too long|unsupported Unicode|violates check constraint"):
        insert_together(flush)

    assert SessionRequest.objects.count() == LiveSession.objects.count() == 0


def test_what_was_written_is_what_was_given(on_services: None, shop: Shop) -> None:
    given = SessionRequest(
        at=datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC),
        tenant=shop.tenant,
        outcome="granted",
        origin="https://“'\\%s{}%.example",
        is_refresh=True,
        upstream_ms=None,
        upstream_status=200,
    )

    insert_together({SessionRequest: [given]})

    written = SessionRequest.objects.get()
    for field in SessionRequest._meta.concrete_fields:
        assert getattr(written, field.attname) == getattr(given, field.attname), field.name


@pytest.mark.asyncio
async def test_once_warm_sessions_need_no_new_connection() -> None:
    """A connection is a handshake; the proof over TLS is in tests/chatkit_client/test_tls.py."""
    async with client_of(good) as (client, server):
        await asyncio.gather(*(mint(client, server) for _ in range(SESSIONS)))
        warm = server.connections
        for _ in range(4):
            await asyncio.gather(*(mint(client, server) for _ in range(SESSIONS)))

    assert warm <= SESSIONS
    assert server.connections == warm
