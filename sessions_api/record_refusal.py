"""Leaves a refusal in the ledger: as a row, or folded into a count."""

import logging
import time
from typing import Final

from audit.addresses import truncate_address
from gateway.errors import PublicError
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.refusals import Refusal
from sessions_api.writer import WriteFailed

logger = logging.getLogger(__name__)

# A refusal is refused whether or not its row is written in time; a granted session waits longer.
REFUSAL_SECONDS: Final = 2.0


async def record_refusal(desk: Desk, attempt: Attempt, error: PublicError) -> None:
    """Unknown tenants leave nothing; what OpenAI was asked for always leaves a row; the rest is folded."""
    if attempt.tenant is None:
        return
    is_of_origin = error.code.startswith("origin_")
    refusal = Refusal(
        tenant_id=attempt.tenant.id,
        outcome=error.code,
        reason=error.reason,
        place=attempt.origin if is_of_origin else truncate_address(attempt.address),
        minute=int(time.time() // 60),
        is_preflight=attempt.is_preflight,
    )
    # A flood leaves no row of its own, only its count.
    at_most = 0 if error.reason == "address_flood" else None
    if attempt.upstream_ms is None and not desk.fold.leaves_row(refusal, at_most=at_most):
        return
    # As bounded as the rows are: a flood fills neither the disk nor the log.
    logger.log(
        logging.WARNING if error.status >= 500 else logging.INFO,
        "Refused",
        extra={
            "code": error.code.value,
            "reason": error.reason,
            "tenant": attempt.tenant.public_id,
            "origin": attempt.origin,
            "upstream_status": attempt.upstream_status,
            "upstream_request_id": attempt.upstream_request_id,
        },
    )
    try:
        row = attempt.row(outcome=error.code, reason=error.reason)
        await desk.writer.write(row, seconds=REFUSAL_SECONDS, is_essential=False)
    except WriteFailed:
        # The writer has logged it.
        return
