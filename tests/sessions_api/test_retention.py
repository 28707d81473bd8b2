"""Session requests go when their time is over, exactly those, each slice with its event; nothing else can take one away."""

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent, PrunePermit
from audit.prune import prune_permit
from sessions_api import retention
from sessions_api.models import SessionRequest
from sessions_api.retention import digest, prune_ledger
from sessions_api.tasks import prune
from tenants.models import Tenant
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
TABLE = "sessions_api_sessionrequest"
SECOND = timedelta(seconds=1)


def a_request(tenant_id: uuid.UUID | None, *, days: float, **fields: Any) -> SessionRequest:
    """One from so many days before today began."""
    return SessionRequest.objects.create(
        at=MIDNIGHT - timedelta(days=days), tenant_id=tenant_id, outcome="granted", **fields
    )


def left() -> set[uuid.UUID]:
    return set(SessionRequest.objects.values_list("pk", flat=True))


@pytest.fixture(autouse=True)
def _site_default(settings: Any) -> None:
    settings.LEDGER_RETENTION_DAYS = 30


def test_each_tenant_keeps_its_own_time_and_the_site_says_the_rest() -> None:
    short, usual = register("Alder", retention_days=7), register("Birch")
    gone = uuid.uuid4()
    kept = {
        a_request(short.pk, days=7).pk,
        a_request(usual.pk, days=30).pk,
        a_request(gone, days=30).pk,
        a_request(None, days=29).pk,
    }
    for tenant_id, days in ((short.pk, 7), (usual.pk, 30), (gone, 30), (None, 30)):
        a_request(tenant_id, days=days + 0.001)

    count = prune_ledger(seconds=30, now=NOW)

    assert count == 4
    assert left() == kept
    events = AuditEvent.objects.filter(action=Action.LEDGER_PRUNED)
    assert {(event.tenant_id, event.changes["rows"]) for event in events} == {
        (short.pk, 1),
        (usual.pk, 1),
        (gone, 1),
        (None, 1),
    }
    assert {event.tenant_name for event in events} == {"Alder", "Birch", ""}
    assert not PrunePermit.objects.exists()


def test_nothing_goes_where_the_site_keeps_everything(settings: Any) -> None:
    settings.LEDGER_RETENTION_DAYS = 0
    short, usual = register("Alder", retention_days=7), register("Birch")
    a_request(short.pk, days=8)
    kept = {a_request(usual.pk, days=4000).pk, a_request(uuid.uuid4(), days=4000).pk}

    prune()

    assert left() == kept


def test_a_long_list_goes_in_slices_each_with_the_hash_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "SLICE", 10)
    tenant = register("Alder")
    rows = [a_request(tenant.pk, days=100 - number / 100, origin="https://schön.example") for number in range(25)]
    copy = list(SessionRequest.objects.order_by("at", "id"))

    prune_ledger(seconds=30, now=NOW)

    events = AuditEvent.objects.filter(action=Action.LEDGER_PRUNED).order_by("seq")
    assert [event.changes["rows"] for event in events] == [10, 10, 5]
    assert len(rows) == 25
    slices = [copy[:10], copy[10:20], copy[20:]]
    assert [event.changes["sha256"] for event in events] == [digest(part) for part in slices]
    assert events[0].changes["before"] == (MIDNIGHT - timedelta(days=30)).isoformat()


def test_the_hash_is_that_of_the_canonical_rows() -> None:
    row = a_request(register("Alder").pk, days=100, origin="https://schön.example", upstream_ms=3)
    columns = {field.attname: getattr(row, field.attname) for field in SessionRequest._meta.concrete_fields}
    plain = {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in columns.items()}

    expected = hashlib.sha256(rfc8785.dumps({**plain, "at": row.at.isoformat()}) + b"\n").hexdigest()

    assert digest([row]) == expected


def test_no_time_left_leaves_the_rest_for_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = register("Alder")
    a_request(tenant.pk, days=100)
    a_request(uuid.uuid4(), days=100)

    assert prune_ledger(seconds=0, now=NOW) == 0
    assert prune_ledger(seconds=30, now=NOW) == 2


def test_two_workers_at_once_prune_each_row_once(monkeypatch: pytest.MonkeyPatch, on_services: None) -> None:
    monkeypatch.setattr(retention, "SLICE", 7)
    tenant = register("Alder")
    for number in range(60):
        a_request(tenant.pk, days=100 - number / 100)

    def work(_: int) -> int:
        try:
            return prune_ledger(seconds=30, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        counts = list(workers.map(work, range(3)))

    events = AuditEvent.objects.filter(action=Action.LEDGER_PRUNED)
    assert sum(counts) == 60
    assert sum(event.changes["rows"] for event in events) == 60
    assert left() == set()


def test_without_an_event_no_row_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    a_request(register("Alder").pk, days=100)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no event")

    monkeypatch.setattr(retention, "record", fail)
    with pytest.raises(RuntimeError, match="no event"):
        prune_ledger(seconds=30, now=NOW)

    assert len(left()) == 1
    assert not PrunePermit.objects.exists()


def delete() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")


@contextmanager
def permitted_wrongly(table: str = TABLE, **permit: Any) -> Iterator[None]:
    """What is done in this block the database refuses, whatever this permit says."""
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        prune_permit(table, **permit),
    ):
        yield


@pytest.mark.proof("A9")
@pytest.mark.parametrize("statement", [f"DELETE FROM {TABLE}", f"UPDATE {TABLE} SET origin = origin"])
def test_without_a_permit_nothing_is_changed_or_deleted(statement: str) -> None:
    a_request(register("Alder").pk, days=4000)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert len(left()) == 1


@pytest.mark.proof("A9")
def test_a_permit_lets_neither_newer_rows_go_nor_those_of_others_nor_any_be_changed() -> None:
    alder, birch = register("Alder"), register("Birch")
    before = MIDNIGHT - timedelta(days=10)
    rows = {
        "newer": a_request(alder.pk, days=10).pk,
        "another tenant's": a_request(birch.pk, days=11).pk,
        "nobody's": a_request(None, days=11).pk,
    }
    old = a_request(alder.pk, days=10.001)

    for pk in rows.values():
        with permitted_wrongly(tenant_id=alder.pk, before=before):
            SessionRequest.objects.filter(pk=pk).delete()
    with permitted_wrongly(tenant_id=alder.pk, before=before):
        SessionRequest.objects.filter(pk=old.pk).update(origin="")
    with transaction.atomic(), prune_permit(TABLE, tenant_id=alder.pk, before=before):
        SessionRequest.objects.filter(pk=old.pk).delete()

    assert left() == set(rows.values())


@pytest.mark.proof("A9")
def test_whatever_a_permit_says_the_last_day_stays() -> None:
    tenant = register("Alder")
    row = SessionRequest.objects.create(at=timezone.now() - timedelta(hours=23), tenant=tenant, outcome="granted")

    with permitted_wrongly(tenant_id=tenant.pk, before=timezone.now() + timedelta(days=1)):
        SessionRequest.objects.all().delete()

    assert left() == {row.pk}


@pytest.mark.proof("A9")
def test_a_permit_is_for_the_ledger_alone_and_counts_in_its_own_transaction() -> None:
    tenant = register("Alder")
    a_request(tenant.pk, days=100)

    with pytest.raises(RuntimeError, match="in the transaction"), prune_permit(TABLE, tenant_id=None, before=NOW):
        pass
    with permitted_wrongly("audit_auditevent", tenant_id=tenant.pk, before=NOW):
        AuditEvent.objects.all().delete()
    with transaction.atomic(), prune_permit(TABLE, tenant_id=tenant.pk, before=NOW):
        pass
    with pytest.raises(DatabaseError, match="append-only"):
        delete()


@pytest.mark.proof("A9")
def test_a_permit_that_was_left_behind_counts_for_nobody(on_services: None) -> None:
    tenant = register("Alder")
    a_request(tenant.pk, days=100)
    PrunePermit.objects.create(table_name=TABLE, tenant_id=tenant.pk, before=NOW, transaction=1)

    with pytest.raises(DatabaseError, match="append-only"):
        delete()


def test_the_rows_of_a_deleted_tenant_go_by_the_sites_time() -> None:
    tenant = register("Alder", retention_days=3650)
    a_request(tenant.pk, days=31)
    before = prune_ledger(seconds=30, now=NOW)

    Tenant.objects.all().delete()
    after = prune_ledger(seconds=30, now=NOW)

    assert (before, after) == (0, 1)
