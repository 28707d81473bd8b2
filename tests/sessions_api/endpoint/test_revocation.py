"""T8, O8: what is withdrawn stops within two seconds in every process, also for a call that is under way."""

import threading
import time
from collections.abc import Callable

import pytest

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest
from tenants.assistants import delete_assistant
from tenants.keys import retire_key
from tenants.models import AllowedDomain, Tenant
from tenants.states import resume_tenant, suspend_tenant
from tests.platform_server import Answer, Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop, environment_for

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


WITHDRAWALS = [
    (suspend, "tenant_unknown"),
    (suspend_in_bulk, "tenant_unknown"),
    (remove_domain, "origin_not_allowed"),
    (retire, "tenant_misconfigured"),
    (remove_assistant, "assistant_unknown"),
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
    [*WITHDRAWALS[:1], *WITHDRAWALS[2:3], (retire, "platform_unavailable"), *WITHDRAWALS[4:]],
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


def _seconds_until(process: Platform, shop: Shop, code: str) -> float:
    """When this process first answers with this code."""
    _wait_until(lambda: shop.ask(process).code == code)
    return time.monotonic()


def _wait_until(holds: Callable[[], bool], *, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come to this in time"
        time.sleep(0.05)
