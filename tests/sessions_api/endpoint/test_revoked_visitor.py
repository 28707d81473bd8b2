"""A visitor whose token was revoked is somebody new at the next call, in a process that could not know it before it wrote."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, RevokedVisitor, SessionRequest
from sessions_api.sightings import RevokedHere, VisitorRevoked
from sessions_api.spool import waiting_files
from tests.platform_server import Platform, running_platform
from tests.sessions_api.cast import Shop, environment_for
from tests.sessions_api.load import wait_until


def test_the_token_names_nobody_any_more_and_what_was_minted_for_it_is_cancelled(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    token = shop.ask(platform).json["visitor_token"]
    before = SessionRequest.objects.get()
    RevokedVisitor.objects.create(ref=before.visitor_ref, tenant=shop.tenant, revoked_at=timezone.now())

    first = shop.ask(platform, body={"visitor_token": token})
    second = shop.ask(platform, body={"visitor_token": token})

    assert (first.status, second.status) == (200, 200)
    rows = list(SessionRequest.objects.exclude(pk=before.pk))
    # Somebody new each time, and one row for each answer.
    assert len({before.visitor_ref, *(row.visitor_ref for row in rows)}) == 3
    assert LiveSession.objects.count() == 3
    # One was minted before anybody could know; the second call knew.
    assert len(sandbox.creates()) == 4
    wait_until(lambda: len(sandbox.live_sessions()) == 3)


def test_a_token_that_was_issued_after_the_revocation_counts(platform: Platform, shop: Shop) -> None:
    token = shop.ask(platform).json["visitor_token"]
    ref = SessionRequest.objects.get().visitor_ref
    RevokedVisitor.objects.create(ref=ref, tenant=shop.tenant, revoked_at=timezone.now() - timedelta(seconds=5))

    assert shop.ask(platform, body={"visitor_token": token}).status == 200

    assert set(SessionRequest.objects.values_list("visitor_ref", flat=True)) == {ref}


def test_a_revoked_token_gains_nothing_by_being_used_while_nobody_can_look(
    backends_die: None, shop: Shop, sandbox: Sandbox, tmp_path: Path
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite answers reads whatever is locked")
    spool = tmp_path / "spool"
    with running_platform(**{**environment_for(sandbox), "SPOOL_DIR": str(spool)}) as platform:
        token = shop.ask(platform).json["visitor_token"]
        ref = SessionRequest.objects.get().visitor_ref
        RevokedVisitor.objects.create(ref=ref, tenant=shop.tenant, revoked_at=timezone.now())
        # Tokens that are issued from now on would be younger than the revocation.
        time.sleep(1.1)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE sessions_api_revokedvisitor IN ACCESS EXCLUSIVE MODE")
            meanwhile = shop.ask(platform, body={"visitor_token": token})
        wait_until(lambda: not waiting_files(spool))
        again = shop.ask(platform, body={"visitor_token": meanwhile.json["visitor_token"]})

    assert (meanwhile.status, again.status) == (200, 200)
    refs = list(SessionRequest.objects.order_by("at").values_list("visitor_ref", flat=True))
    assert refs[:2] == [ref, ref]
    assert ref not in refs[2:]


def test_a_process_remembers_the_latest_moment_and_a_bounded_number_of_visitors() -> None:
    here = RevokedHere(most=2)
    here.remember(VisitorRevoked("a", 100))
    here.remember(VisitorRevoked("a", 90))

    assert [here.names("a", issued_at) for issued_at in (99, 100, 101)] == [True, True, False]
    here.remember(VisitorRevoked("b", 100))
    here.remember(VisitorRevoked("c", 100))
    assert [here.names(ref, 0) for ref in "abc"] == [False, True, True]
