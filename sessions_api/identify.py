"""Who is asking for a session: whom the tenant's signed identity names, whom our own token names, or somebody new.

| the tenant's mode | with an identity_token | with a known visitor's token alone | with neither, or an anonymous one |
|---|---|---|---|
| off | ignored | names nobody: somebody new | anonymous |
| report_only | checked and noted | names nobody: somebody new | anonymous |
| optional | known, or `identity_invalid` | known, for 24 h from its last use | anonymous |
| required | known, or `identity_invalid` | known, for 24 h from its last use | `identity_required` |

An identity counts once: it is reserved here, used up by the session that is granted, and released if none is. Together
with the known visitor's token that was given for it, it counts again: that is the same browser, after a reload.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import Code, PublicError
from gateway.identity_refusals import IdentityRefusal
from gateway.identity_tokens import Identity, verify_identity
from gateway.replay_marks import Reservation
from gateway.visitor_tokens import (
    Visitor,
    VisitorKind,
    VisitorToken,
    mint_visitor_token,
    read_visitor_token,
    visitor_ref,
)
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.models.ledger import IDENTITY_OK
from sessions_api.reading import SessionCall
from tenants.models import IdentityMode
from tenants.snapshot import TenantSnapshot

# How long a known visitor is believed without being vouched for again, counted anew with each session.
KNOWN_LIFETIME: Final = 24 * 3600
OK: Final = IDENTITY_OK
# Named by our own token, which an identity was once good for.
KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class Identified:
    """The visitor and how we know: `is_new` where nobody that we know is named.

    `token_issued_at` (epoch seconds) is that of our own token which named the visitor, None where none did: such a token
    may have been revoked. `state_variables` go to the workflow. `proof` goes into the known visitor's next token.
    `is_linked` says that the row which leads from OpenAI's name to ours stands already. `reservation` is what must be
    released if no session is granted.
    """

    visitor: Visitor
    is_new: bool
    token_issued_at: int | None = None
    state_variables: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    proof: bytes = field(default=b"", repr=False)
    is_linked: bool = False
    reservation: Reservation | None = None

    def next_token(self, tenant: TenantSnapshot, *, now: int, is_checked: bool) -> str:
        """`is_checked`: that the token which named the visitor is not revoked.

        Where nobody could look, the next token is as old as that one: the revocation that ends the one ends the other.
        """
        issued_at = now if is_checked or self.token_issued_at is None else self.token_issued_at
        return mint_visitor_token(
            self.visitor, tenant_public_id=tenant.public_id, epoch=tenant.visitor_epoch, now=issued_at, proof=self.proof
        )


async def identify(
    desk: Desk, tenant: TenantSnapshot, call: SessionCall, attempt: Attempt, *, now: int, is_preview: bool = False
) -> Identified:
    """Raises PublicError (identity_required, identity_invalid). A bad token of ours is never an error, nor a hint.

    A preview was opened by a ticket of the console; whoever looks at it is anonymous in every mode.
    """
    mode = tenant.identity.mode
    token = _token_of(desk, tenant, call, now=now)
    if mode == IdentityMode.OFF or is_preview:
        return _anonymous(token)
    found = _verified(tenant, call, now=now)
    attempt.identity = OK if isinstance(found, Identity) else found.value
    if mode == IdentityMode.REPORT_ONLY:
        return _anonymous(token)
    if isinstance(found, Identity):
        return await _vouched_for(desk, tenant, found, token, attempt, now=now)
    if found is not IdentityRefusal.MISSING:
        raise PublicError(Code.IDENTITY_INVALID, reason=found.value)
    if token is not None and _is_still_known(tenant, token, now=now):
        attempt.identity = KEPT
        return _kept(token)
    if mode == IdentityMode.REQUIRED:
        raise PublicError(Code.IDENTITY_REQUIRED, reason=found.value)
    return _anonymous(token)


def _token_of(desk: Desk, tenant: TenantSnapshot, call: SessionCall, *, now: int) -> VisitorToken | None:
    """Our own token, unless this process knows that it was revoked; what others know shows when the rows are written."""
    if call.visitor_token is None:
        return None
    token = read_visitor_token(
        call.visitor_token, tenant_public_id=tenant.public_id, epoch=tenant.visitor_epoch, now=now
    )
    if token is None or desk.revoked.names(visitor_ref(token.visitor, tenant.public_id), token.issued_at):
        return None
    return token


async def release(desk: Desk, identified: Identified) -> None:
    """Nobody got a session for it, so the signed identity may be shown again."""
    if identified.reservation is not None:
        await desk.gateway.replay.release(identified.reservation)


def _verified(tenant: TenantSnapshot, call: SessionCall, *, now: int) -> Identity | IdentityRefusal:
    if call.identity_token is None:
        return IdentityRefusal.MISSING
    rules = tenant.identity
    return verify_identity(
        call.identity_token,
        keys=rules.keys,
        algorithm=rules.algorithm,
        audience=tenant.public_id,
        now=now,
        claims=rules.claims,
    )


async def _vouched_for(
    desk: Desk, tenant: TenantSnapshot, identity: Identity, token: VisitorToken | None, attempt: Attempt, *, now: int
) -> Identified:
    proof = identity.proof(tenant.public_id)
    if token is not None and token.proof == proof and token.visitor.id == identity.subject.encode():
        return Identified(
            token.visitor,
            is_new=False,
            token_issued_at=token.issued_at,
            state_variables=identity.variables,
            proof=proof,
            is_linked=True,
        )
    name = hashlib.sha256(tenant.id.bytes + identity.jti.encode()).hexdigest()[:32]
    reservation = await desk.gateway.replay.reserve(name, seconds=identity.counts_until - now)
    if reservation is None:
        attempt.identity = IdentityRefusal.REPLAYED.value
        raise PublicError(Code.IDENTITY_INVALID, reason=IdentityRefusal.REPLAYED.value)
    try:
        linked = await desk.links.pseudonym_of(
            tenant, identity.subject, at=attempt.at, is_answering=desk.gateway.snapshots.is_answering
        )
    except BaseException:
        await desk.gateway.replay.release(reservation)
        raise
    return Identified(
        Visitor.known(identity.subject, pseudonym=linked.pseudonym),
        is_new=linked.is_new,
        state_variables=identity.variables,
        proof=proof,
        is_linked=linked.is_written,
        reservation=reservation,
    )


def _is_still_known(tenant: TenantSnapshot, token: VisitorToken, *, now: int) -> bool:
    """A known visitor's token, used within a day, whose key still counts: retiring a key takes back what it vouched for."""
    if token.visitor.kind is not VisitorKind.KNOWN or now - token.issued_at >= KNOWN_LIFETIME:
        return False
    return any(token.proof.startswith(key.tag) for key in tenant.identity.keys)


def _kept(token: VisitorToken) -> Identified:
    return Identified(token.visitor, is_new=False, token_issued_at=token.issued_at, proof=token.proof, is_linked=True)


def _anonymous(token: VisitorToken | None) -> Identified:
    """Never a known visitor, whatever the token says."""
    if token is None or token.visitor.kind is not VisitorKind.ANON:
        return Identified(Visitor.anonymous(), is_new=True)
    return Identified(token.visitor, is_new=False, token_issued_at=token.issued_at, is_linked=True)
