"""The deed of a visitor who signs out: no token of theirs counts any more, and their live sessions are cancelled upstream.

Nothing is published from here: the worker's tick finds the marked sessions within 5 s.
"""

import time
from functools import partial
from typing import Final

from django.db import DatabaseError

from gateway.admission import Page
from gateway.errors import Code, PublicError
from gateway.gcra import Limit
from gateway.visitor_tokens import read_visitor_token, visitor_ref
from sessions_api.attempt import Attempt
from sessions_api.desk import WRITE_SECONDS, Desk
from sessions_api.reading import EndCall
from sessions_api.revoke import CancelReason, revoke_visitor

# Of one visitor, in this process. Once is enough, and a page that repeats itself must not wear the database out.
ENDS_PER_MINUTE: Final = 10


async def end_session(*, desk: Desk, page: Page, call: EndCall, attempt: Attempt) -> None:
    """Raises PublicError (token_invalid, rate_limited, platform_unavailable). Safe to repeat."""
    tenant = page.tenant
    token = read_visitor_token(
        call.visitor_token or "", tenant_public_id=tenant.public_id, epoch=tenant.visitor_epoch, now=int(time.time())
    )
    if token is None:
        raise PublicError(Code.TOKEN_INVALID, reason="visitor_token_invalid")
    ref = attempt.visitor_ref = visitor_ref(token.visitor, tenant.public_id)
    attempt.visitor_kind = token.visitor.kind.value
    limit = Limit(f"end:{tenant.id.hex}:{ref}", ENDS_PER_MINUTE, "sign_out_limit")
    decision = desk.gateway.limiter.take_here([limit])
    if decision.refused_by is not None:
        raise PublicError(Code.RATE_LIMITED, reason=limit.reason, retry_after=decision.retry_after)
    if not desk.gateway.snapshots.is_answering:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="database_silent")
    revoke = partial(revoke_visitor, tenant_id=tenant.id, ref=ref, reason=CancelReason.SIGNED_OUT)
    try:
        await desk.threads.run(revoke, seconds=WRITE_SECONDS)
    except (DatabaseError, TimeoutError) as failure:
        raise PublicError(Code.PLATFORM_UNAVAILABLE, reason="not_revoked") from failure
