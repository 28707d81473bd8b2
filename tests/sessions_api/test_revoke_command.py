"""`manage.py revoke_sessions`: what is meant, how far it is, and what its exit code says."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from sandbox.testing import Sandbox
from tenants.assistants import let_assistant_use_key
from tenants.models import Tenant, TenantState
from tests.key_health.cast import Customer
from tests.sessions_api.revoked_cast import allowed, upstream_ids, visit
from tests.sessions_api.upstream_sessions import open_session
from tests.tenants.cast import give_assistant, give_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "narrowed",
    [{"visitor": "a" * 32}, {"key": "second"}, {"assistant": "other"}, {"origin": "https://shop.example/"}],
    ids=lambda narrowed: next(iter(narrowed)),
)
def test_the_command_narrows_down_to_a_visitor_a_key_an_assistant_or_a_website(
    sandbox: Sandbox, alder: Customer, narrowed: dict[str, str]
) -> None:
    allowed(alder, "shop.example", "news.example")
    second = give_key(alder.tenant, alder.secret, label="second")
    other = give_assistant(alder.tenant, alder.key, second, slug="other", workflow_id=alder.workflow_id)
    let_assistant_use_key(assistant=alder.assistant, key=second, actor=SYSTEM, position=2)
    meant = {
        "visitor": visit(sandbox, alder, visitor_ref="a" * 32),
        "key": visit(sandbox, alder, key=second),
        "assistant": visit(sandbox, alder, assistant_id=other.pk),
        "origin": visit(sandbox, alder, "https://shop.example"),
    }

    call_command("revoke_sessions", tenant="alder", stdout=StringIO(), **narrowed)

    [lost] = {session.session_id for session in meant.values()} - upstream_ids(sandbox)
    assert lost == meant[next(iter(narrowed))].session_id
    event = AuditEvent.objects.get(action=Action.SESSIONS_REVOKED)
    assert event.changes["sessions"] == 1
    assert len(event.changes) == 2


def test_the_command_ends_the_sessions_of_every_tenant_only_when_it_is_told_so(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    for customer in (alder, birch):
        open_session(sandbox, customer)

    with pytest.raises(CommandError, match="one of the arguments --tenant --all is required"):
        call_command("revoke_sessions")
    with pytest.raises(CommandError, match="no other option"):
        call_command("revoke_sessions", "--all", "--key", "production")
    untouched = len(upstream_ids(sandbox))
    call_command("revoke_sessions", "--all", stdout=StringIO())

    assert untouched == 2
    assert upstream_ids(sandbox) == set()
    assert AuditEvent.objects.filter(action=Action.SESSIONS_REVOKED).count() == 2


def test_the_command_waits_and_shows_how_far_it_is(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    sandbox.set_host("down")
    back = threading.Timer(1.5, lambda: sandbox.set_host("up"))
    back.start()
    out = StringIO()

    call_command("revoke_sessions", tenant="alder", wait=30, stdout=out)
    back.join()

    lines = out.getvalue().splitlines()
    assert "1 could not be cancelled yet" in lines[0]
    assert lines[-1].startswith("1 sessions: 1 cancelled")


def test_the_command_cancels_the_sessions_of_a_tenant_that_goes_on(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    out = StringIO()

    call_command("revoke_sessions", tenant="alder", stdout=out)

    assert upstream_ids(sandbox) == set()
    assert "1 sessions: 1 cancelled, 0 waiting" in out.getvalue()
    assert Tenant.objects.get(pk=alder.tenant.pk).state == TenantState.ACTIVE
    assert AuditEvent.objects.get(action=Action.SESSIONS_REVOKED).changes["sessions"] == 1


def test_the_command_says_what_it_could_not_cancel(sandbox: Sandbox, alder: Customer) -> None:
    open_session(sandbox, alder)
    sandbox.set_key(alder.secret, "invalid")
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("revoke_sessions", tenant="alder", stdout=out)

    assert "0 cancelled, 0 waiting, 1 could not be cancelled yet" in out.getvalue()
    assert alder.secret not in out.getvalue()


def test_the_command_names_the_cure_for_a_slug_that_nobody_has(transactional_db: None) -> None:
    with pytest.raises(CommandError, match="admin's list"):
        call_command("revoke_sessions", tenant="oak")


def test_a_website_that_nobody_knows_is_mistyped_and_one_that_was_seen_is_not(
    sandbox: Sandbox, alder: Customer, birch: Customer
) -> None:
    allowed(alder, "shop.example", "*.shop.example")
    allowed(birch, "birch.example")
    visit(sandbox, alder, "https://news.example")
    out = StringIO()

    for origin in ("https://shop.example/", "https://de.shop.example", "https://news.example"):
        call_command("revoke_sessions", tenant="alder", origin=origin, stdout=out)
    for origin in ("https://shop.exampel", "shop.example", "https://birch.example", "https://shop.example:8443"):
        with pytest.raises(CommandError, match="Its form is") as refused:
            call_command("revoke_sessions", tenant="alder", origin=origin, stdout=out)
        assert refused.value.returncode == 2

    assert out.getvalue().splitlines()[:2] == ["No live session."] * 2
    assert "1 sessions: 1 cancelled" in out.getvalue()
