"""T6: one pseudonym for one known visitor, whichever process asks first."""

import asyncio
from datetime import UTC, datetime

import pytest

from gateway.visitor_tokens import Visitor, visitor_ref
from sessions_api.models import VisitorLink
from sessions_api.visitor_links import Linked, VisitorLinks, _read_or_write, link_of
from tenants.snapshot import TenantSnapshot, load_snapshot
from tests.tenants.cast import register

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def tenant(transactional_db: None) -> TenantSnapshot:
    snapshot = load_snapshot(register().public_id)
    assert snapshot is not None
    return snapshot


def ask(tenant: TenantSnapshot, *subjects: str, is_answering: bool = True) -> list[Linked]:
    """Each by a set of threads of its own, as processes have them."""

    async def run() -> list[Linked]:
        doors = [VisitorLinks() for _ in subjects]
        try:
            return await asyncio.gather(
                *[
                    door.pseudonym_of(tenant, subject, at=AT, is_answering=is_answering)
                    for door, subject in zip(doors, subjects, strict=True)
                ]
            )
        finally:
            for door in doors:
                door.close(seconds=5)

    return asyncio.run(run())


@pytest.mark.proof("T6")
def test_a_visitor_keeps_its_pseudonym_and_the_row_leads_to_its_name_in_the_ledger(tenant: TenantSnapshot) -> None:
    first, again, other = (ask(tenant, subject)[0] for subject in ("a", "a", "b"))

    assert (first.is_new, first.is_written, again.is_new, again.is_written) == (True, True, False, True)
    assert first.pseudonym == again.pseudonym != other.pseudonym
    link = VisitorLink.objects.get(pseudonym=first.pseudonym.hex())
    assert link.ref == visitor_ref(Visitor.known("a", pseudonym=first.pseudonym), tenant.public_id)


@pytest.mark.proof("T6")
def test_processes_that_ask_at_the_same_moment_agree(on_services: None, tenant: TenantSnapshot) -> None:
    for number in range(20):
        found = ask(tenant, *[f"user-{number}"] * 8)

        assert len({linked.pseudonym for linked in found}) == 1
        assert sum(linked.is_new for linked in found) == 1


@pytest.mark.proof("T6")
def test_an_erased_visitor_gets_another_pseudonym_at_once(tenant: TenantSnapshot) -> None:
    before = ask(tenant, "a")[0]

    VisitorLink.objects.all().delete()

    assert ask(tenant, "a")[0].pseudonym != before.pseudonym


@pytest.mark.proof("I2")
def test_while_the_database_is_silent_a_fresh_one_is_used_and_nothing_is_written(tenant: TenantSnapshot) -> None:
    known = ask(tenant, "a")[0]

    found = ask(tenant, "a", is_answering=False)[0]

    assert found.pseudonym != known.pseudonym
    assert (found.is_new, found.is_written) == (True, False)
    assert VisitorLink.objects.count() == 1


def test_whoever_wrote_first_counts(tenant: TenantSnapshot) -> None:
    """The row of a session that was granted meanwhile stands there: what comes later is left out, and reads it."""
    links = [
        link_of(
            Visitor.known("a", pseudonym=bytes([number]) * 16),
            tenant_id=tenant.id,
            public_id=tenant.public_id,
            user="v1.one",
            at=AT,
        )
        for number in (1, 2)
    ]

    found = [_read_or_write(link) for link in links]

    assert [linked.pseudonym for linked in found] == [b"\x01" * 16] * 2
    assert [linked.is_new for linked in found] == [True, False]


def test_who_was_refused_as_a_new_visitor_is_a_new_one_again_and_just_once(
    on_services: None, tenant: TenantSnapshot
) -> None:
    first = ask(tenant, "a")[0]
    link = VisitorLink.objects.get()

    async def refuse() -> None:
        door = VisitorLinks()
        await door.refused(tenant.id, link.ref)
        door.close(seconds=5)

    asyncio.run(refuse())
    again = ask(tenant, *["a"] * 8)

    assert sum(linked.is_new for linked in again) == 1
    assert {linked.pseudonym for linked in again} == {first.pseudonym}
    assert VisitorLink.objects.get().first_seen_at == AT
