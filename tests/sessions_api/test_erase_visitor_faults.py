"""Erasing a visitor while sessions are still written, OpenAI is away, workers die and keys are refused."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.erase_visitor import (
    erase_visitor,
)
from sessions_api.models import LiveSession, VisitorErasure
from sessions_api.tasks import erase_visitors, tick
from tenants.models import ApiKey
from tests.key_health.cast import Customer
from tests.sessions_api.erasure_cast import another_project, certified, come, users, visit, work
from tests.sessions_api.upstream_sessions import chat, mint

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_outage_in_the_middle_only_delays_it(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user, times=10)
    sandbox.expire_sessions()
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    sandbox.fault("status_503", path="/v1/chatkit/threads/", count=4)

    erase_visitors()
    left = len(users(sandbox))
    sandbox.set_host("down")
    work(looks=3)
    sandbox.clear_faults()
    sandbox.set_host("up")
    work()

    assert 0 < left < 10
    assert users(sandbox) == []
    assert certified(erasure)["complete"]
    assert certified(erasure)["threads_deleted"] == 10


def test_it_goes_on_where_a_killed_worker_left_it(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user, times=3)
    sandbox.expire_sessions()
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    VisitorErasure.objects.update(claim=uuid.uuid4(), claimed_until=timezone.now() + timedelta(seconds=60))

    erase_visitors()
    while_claimed = len(users(sandbox))
    work()

    assert while_claimed == 3
    assert users(sandbox) == []
    assert certified(erasure)["complete"]


def test_a_key_that_openai_refuses_is_named_and_the_others_are_used(sandbox: Sandbox, alder: Customer) -> None:
    second = another_project(sandbox, alder, "proj_second")
    ann = come(alder)
    for customer in (alder, second):
        chat(sandbox, customer, user=ann.user)
    sandbox.expire_sessions()
    sandbox.set_key(alder.secret, "invalid")
    erasure = erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    work()

    certificate = certified(erasure)
    reached = {key["key"]: (key["threads_deleted"], key["not_reached"]) for key in certificate["keys"]}
    assert reached == {alder.key.label: (0, "invalid_key"), second.key.label: (1, "")}
    assert not certificate["complete"]
    assert len(users(sandbox)) == 1
    [event] = AuditEvent.objects.filter(action=Action.VISITOR_ERASED)
    assert event.changes["keys_unreachable"] == [f"{alder.key.label}: invalid_key"]
    assert alder.secret not in erasure.certificate + str(event.changes)


def test_a_key_that_no_call_can_carry_is_named_at_once(sandbox: Sandbox, alder: Customer) -> None:
    ApiKey.objects.update(organization="org 1")
    erasure = erase_visitor(tenant=alder.tenant, person=come(alder), actor=SYSTEM)

    erase_visitors()

    assert certified(erasure)["keys"][0]["not_reached"] == "key_malformed"


def test_a_session_that_is_written_down_while_threads_are_being_erased_does_not_survive(
    sandbox: Sandbox, alder: Customer
) -> None:
    second = another_project(sandbox, alder, "proj_second")
    ann = come(alder)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    sandbox.set_key(second.secret, "throttled", times=1)
    erase_visitors()
    half_way = VisitorErasure.objects.get()
    late = visit(sandbox, alder, ann)
    sandbox.say(mint(sandbox, alder, user=ann.user).session.client_secret, "Still here")
    sandbox.expire_sessions()

    work()

    assert half_way.finished_at is None
    assert half_way.keys_done == [str(alder.key.pk)]
    assert users(sandbox) == []
    assert not LiveSession.objects.filter(pk=late.pk).exists()
    assert VisitorErasure.objects.get().finished_at is not None


def test_a_session_that_is_written_down_after_the_end_of_the_erasure_is_cancelled(
    sandbox: Sandbox, alder: Customer
) -> None:
    ann = come(alder)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)
    began = timezone.now()
    work()
    late = visit(sandbox, alder, ann)
    LiveSession.objects.filter(pk=late.pk).update(granted_at=began)

    tick()

    assert late.session_id not in {session["id"] for session in sandbox.live_sessions()}


def test_threads_stay_while_a_session_could_still_write(sandbox: Sandbox, alder: Customer) -> None:
    ann = come(alder)
    chat(sandbox, alder, user=ann.user)
    sandbox.expire_sessions()
    visit(sandbox, alder, ann)
    erase_visitor(tenant=alder.tenant, person=ann, actor=SYSTEM)

    erase_visitors()
    before = users(sandbox)
    work()

    assert before == [ann.user]
    assert users(sandbox) == []
