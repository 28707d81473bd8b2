"""The limits and quotas of a session: charged together, or none of them."""

from gateway.client_address import network_of
from gateway.errors import Code, PublicError
from gateway.gcra import Limit
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.identify import Identified
from tenants.snapshot import TenantSnapshot


async def limit_session(desk: Desk, tenant: TenantSnapshot, identified: Identified, attempt: Attempt) -> None:
    """Raises PublicError (rate_limited)."""
    limits, name = tenant.limits, tenant.id.hex
    exceeded = await desk.gateway.limiter.take(
        [
            Limit(f"tenant:{name}", limits.per_tenant, "tenant_limit"),
            Limit(f"visitor:{name}:{attempt.visitor_ref}", limits.per_visitor, "visitor_limit"),
            Limit(f"address:{name}:{network_of(attempt.address)}", limits.per_address, "address_limit"),
        ]
    )
    if exceeded is not None:
        raise PublicError(Code.RATE_LIMITED, reason=exceeded.limit.reason, retry_after=exceeded.retry_after)
