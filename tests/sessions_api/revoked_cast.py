"""Sessions that rest on this or that, and what is left of them at OpenAI."""

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession
from tenants.domains import allow_domain
from tests.key_health.cast import Customer
from tests.sessions_api.upstream_sessions import open_session


def upstream_ids(sandbox: Sandbox) -> set[str]:
    return {session["id"] for session in sandbox.live_sessions()}


def visit(sandbox: Sandbox, customer: Customer, origin: str = "", **fields: object) -> LiveSession:
    session = open_session(sandbox, customer)
    for name, value in {"origin": origin, **fields}.items():
        setattr(session, name, value)
    session.save()
    return session


def allowed(customer: Customer, *websites: str) -> None:
    for website in websites:
        allow_domain(tenant=customer.tenant, text=website, actor=SYSTEM)
