"""T8, O8: what is withdrawn stops within two seconds in every process, also for a call that is under way."""

import threading
import time
from collections.abc import Callable

import pytest
from django.utils import timezone

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.erase_visitor import Person, erase_visitor
from sessions_api.models import LiveSession, SessionRequest, VisitorErasure, VisitorLink
from sessions_api.tasks import erase_visitors, tick
from tenants.assistants import delete_assistant
from tenants.keys import retire_key
from tenants.models import AllowedDomain, AssistantKey, Tenant
from tenants.states import resume_tenant, suspend_tenant
from tests.platform_server import Answer, Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop, environment_for, open_shop, someone_elsewhere

SECONDS = 2.0
# A look every 50 ms, and a machine that has other things to do.
SLACK = 0.5


def suspend(shop: Shop) -> None:
    suspend_tenant(tenant=shop.tenant, actor=SYSTEM)


def remove_domain(shop: Shop) -> None:
    AllowedDomain.objects.filter(tenant=shop.tenant).delete()


def retire(shop: Shop) -> None:
    retire_key(key=shop.key, actor=SYSTEM)


def remove_assistant(shop: Shop) -> None:
    delete_assistant(assistant=shop.assistant, actor=SYSTEM)


def suspend_in_bulk(shop: Shop) -> None:
    Tenant.objects.filter(pk=shop.tenant.pk).update(state="suspended")


def change_domain(shop: Shop) -> None:
    AllowedDomain.objects.filter(tenant=shop.tenant).update(host="elsewhere.example")


def take_key_away(shop: Shop) -> None:
    AssistantKey.objects.filter(assistant=shop.assistant).delete()


WITHDRAWALS = [
    (suspend, "tenant_unknown"),
    (suspend_in_bulk, "tenant_unknown"),
    (remove_domain, "origin_not_allowed"),
    (retire, "tenant_misconfigured"),
    (remove_assistant, "assistant_unknown"),
    (change_domain, "origin_not_allowed"),
    (take_key_away, "tenant_misconfigured"),
]


@pytest.mark.proof("O8", "T8")
@pytest.mark.parametrize(("withdraw", "code"), WITHDRAWALS)
def test_a_withdrawal_is_effective_within_two_seconds_in_every_process(
    platform: Platform, shop: Shop, sandbox: Sandbox, withdraw: Callable[[Shop], None], code: str, proof: Proof
) -> None:
    with running_platform(**environment_for(sandbox)) as second:
        assert [shop.ask(process).status for process in (platform, second)] == [200, 200]

        withdraw(shop)
        began = time.monotonic()
        waited = {process.port: _seconds_until(process, shop, code) - began for process in (platform, second)}

    proof.record(processes=2, seconds_until_refused=round(max(waited.values()), 2))
    assert max(waited.values()) <= proof.size(reduced=int(10 * (SECONDS + SLACK)), full=int(10 * SECONDS)) / 10


def test_what_is_given_back_works_again(platform: Platform, shop: Shop) -> None:
    suspend(shop)
    _seconds_until(platform, shop, "tenant_unknown")

    resume_tenant(tenant=Tenant.objects.get(pk=shop.tenant.pk), actor=SYSTEM)
    platform.wait_for_configuration()

    assert shop.ask(platform).status == 200


@pytest.mark.proof("T8")
@pytest.mark.parametrize(
    ("withdraw", "code"),
    [*WITHDRAWALS[:1], *WITHDRAWALS[2:3], (retire, "platform_unavailable"), *WITHDRAWALS[4:5]],
)
def test_a_session_that_openai_grants_after_the_withdrawal_is_cancelled_and_not_handed_out(
    platform: Platform, shop: Shop, sandbox: Sandbox, withdraw: Callable[[Shop], None], code: str
) -> None:
    shop.ask(platform)
    sandbox.set_latency(2500)
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(shop.ask(platform)))
    asking.start()
    time.sleep(0.5)

    withdraw(shop)
    asking.join()
    sandbox.set_latency(0)

    [answer] = answers
    assert answer.code == code
    assert b"ek_" not in answer.body
    row = SessionRequest.objects.order_by("at").last()
    assert row is not None
    assert (row.outcome, row.reason, row.upstream_status) == (code, "withdrawn_meanwhile", 200)
    assert LiveSession.objects.count() == 1
    _wait_until(lambda: len(sandbox.live_sessions()) == 1)


def erase(shop: Shop) -> None:
    for link in VisitorLink.objects.filter(tenant=shop.tenant):
        erase_visitor(tenant=shop.tenant, person=Person(link.user, link.ref), actor=SYSTEM)


@pytest.mark.proof("T8")
@pytest.mark.parametrize("withdraw", [*(deed for deed, _ in WITHDRAWALS), erase])
def test_what_was_granted_before_is_cancelled_at_openai_and_nobody_elses(
    platform: Platform, shop: Shop, sandbox: Sandbox, withdraw: Callable[[Shop], None]
) -> None:
    other = open_shop(sandbox, "Birch", origin="https://other.example")
    platform.wait_for_configuration()
    assert {shop.ask(platform).status for _ in range(3)} == {200}
    assert other.ask(platform).status == 200

    withdraw(shop)
    tick()

    assert len(sandbox.live_sessions()) == 1
    assert LiveSession.objects.filter(tenant=shop.tenant, cancelled_at=None).count() == 0


@pytest.mark.proof("T8")
def test_a_visitor_who_is_erased_while_opening_chats_keeps_none(
    platform: Platform, shop: Shop, sandbox: Sandbox
) -> None:
    """The visitor's own page goes on asking with the old token: whatever it gets then belongs to somebody new."""
    token = shop.ask(platform).json["visitor_token"]
    [link] = VisitorLink.objects.all()
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.is_set():
            shop.ask(platform, body={"visitor_token": token}, headers=someone_elsewhere())
            time.sleep(0.05)

    page = threading.Thread(target=go_on)
    page.start()
    try:
        time.sleep(0.3)
        erase_visitor(tenant=shop.tenant, person=Person(link.user, link.ref), actor=SYSTEM)

        def is_erased() -> bool:
            tick()
            VisitorErasure.objects.update(due_at=timezone.now())
            erase_visitors()
            return not VisitorErasure.objects.filter(finished_at=None).exists()

        _wait_until(is_erased, seconds=30)
        time.sleep(0.5)
    finally:
        is_over.set()
        page.join()
    tick()

    theirs = {session["user"] for session in sandbox.live_sessions()}
    assert link.user not in theirs
    assert not VisitorLink.objects.filter(pk=link.pk).exists()
    assert not LiveSession.objects.filter(visitor_ref=link.ref, cancelled_at=None).exists()


def _seconds_until(process: Platform, shop: Shop, code: str) -> float:
    """When this process first answers with this code."""
    _wait_until(lambda: shop.ask(process).code == code)
    return time.monotonic()


def _wait_until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to this in time"
        time.sleep(0.05)
