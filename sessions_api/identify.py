"""Who is asking for a session: whom our own token names, or somebody new."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.visitor_tokens import Visitor, VisitorKind, mint_visitor_token, read_visitor_token, visitor_ref
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.reading import SessionCall
from tenants.snapshot import TenantSnapshot


@dataclass(frozen=True, slots=True)
class Identified:
    """The visitor and how we know: `is_new` where nobody that we know is named.

    `token_issued_at` (epoch seconds) is that of our own token which named the visitor, None where none did: such a token
    may have been revoked. `state_variables` go to the workflow. `proof` goes into the known visitor's next token.
    """

    visitor: Visitor
    is_new: bool
    token_issued_at: int | None = None
    state_variables: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    proof: bytes = field(default=b"", repr=False)

    def next_token(self, tenant: TenantSnapshot, *, now: int) -> str:
        return mint_visitor_token(
            self.visitor, tenant_public_id=tenant.public_id, epoch=tenant.visitor_epoch, now=now, proof=self.proof
        )


async def identify(desk: Desk, tenant: TenantSnapshot, call: SessionCall, attempt: Attempt, *, now: int) -> Identified:
    """Raises PublicError (identity_required, identity_invalid). A bad token of ours is never an error, nor a hint."""
    token = read_visitor_token(
        call.visitor_token or "", tenant_public_id=tenant.public_id, epoch=tenant.visitor_epoch, now=now
    )
    if token is None or token.visitor.kind is not VisitorKind.ANON:
        return Identified(Visitor.anonymous(), is_new=True)
    if desk.revoked.names(visitor_ref(token.visitor, tenant.public_id), token.issued_at):
        return Identified(Visitor.anonymous(), is_new=True)
    return Identified(token.visitor, is_new=False, token_issued_at=token.issued_at)
