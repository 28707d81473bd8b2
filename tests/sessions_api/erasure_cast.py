"""Visitors who have been here, and a worker whose time flies."""

from typing import Any

from django.utils import timezone

from audit.record import SYSTEM
from encryption.secret import Secret
from gateway.visitor_tokens import Visitor, upstream_user, visitor_ref
from sandbox.testing import Sandbox
from sessions_api.certificate import certificate_key, verify_certificate
from sessions_api.erase_visitor import (
    Person,
)
from sessions_api.models import LiveSession, SessionRequest, VisitorErasure, VisitorLink
from sessions_api.tasks import erase_visitors, tick
from tenants.keys import add_key
from tenants.user_scope import open_user_scope
from tests.key_health.cast import Customer
from tests.sessions_api.upstream_sessions import open_session


def come(customer: Customer, visitor: Visitor | None = None) -> Person:
    """A visitor of whom the platform has what a first session leaves: link and ledger row."""
    visitor = visitor or Visitor.anonymous()
    person = Person(
        upstream_user(open_user_scope(customer.tenant), customer.tenant.public_id, visitor),
        visitor_ref(visitor, customer.tenant.public_id),
    )
    now = timezone.now()
    VisitorLink.objects.get_or_create(
        user=person.user,
        defaults={
            "tenant": customer.tenant,
            "ref": person.ref,
            "pseudonym": visitor.pseudonym.hex(),
            "first_seen_at": now,
        },
    )
    SessionRequest.objects.create(at=now, tenant=customer.tenant, outcome="granted", visitor_ref=person.ref)
    return person


def visit(sandbox: Sandbox, customer: Customer, person: Person) -> LiveSession:
    session = open_session(sandbox, customer)
    session.visitor_ref = person.ref
    session.save()
    return session


def another_project(sandbox: Sandbox, customer: Customer, name: str) -> Customer:
    """The same tenant with a key of another project."""
    secret = sandbox.add_key(project=name, workflows=[customer.workflow_id])
    key = add_key(tenant=customer.tenant, label=name, plaintext=Secret(secret), actor=SYSTEM)
    return Customer(customer.tenant, key, customer.assistant, secret, customer.workflow_id)


def let_time_pass() -> None:
    VisitorErasure.objects.update(due_at=timezone.now(), claimed_until=None)
    LiveSession.objects.update(claimed_until=None)


def work(*, looks: int = 20) -> None:
    """The worker's ticks, as if time flew."""
    for _ in range(looks):
        tick()
        erase_visitors()
        let_time_pass()


def users(sandbox: Sandbox) -> list[str]:
    return sorted(thread["user"] for thread in sandbox.threads())


def certified(erasure: VisitorErasure) -> dict[str, Any]:
    erasure.refresh_from_db()
    return verify_certificate(erasure.certificate, public_key=certificate_key())
