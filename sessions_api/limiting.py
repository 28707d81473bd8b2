"""The limits and quotas of a session: charged together, or none of them."""

from datetime import UTC, datetime

from gateway.client_address import network_of
from gateway.errors import Code, PublicError
from gateway.gcra import Limit
from gateway.quotas import Period, Quota
from sessions_api.attempt import Attempt
from sessions_api.desk import Desk
from sessions_api.identify import Identified
from tenants.limit_names import LimitName
from tenants.snapshot import TenantSnapshot


async def limit_session(desk: Desk, tenant: TenantSnapshot, identified: Identified, attempt: Attempt) -> None:
    """Raises PublicError (rate_limited, quota_exceeded).

    An admitted session is reserved of the quotas: `give_back` when it is not granted after all.
    """
    decision = await desk.gateway.limiter.take(limits_of(tenant, identified, attempt), quotas_of(tenant, at=attempt.at))
    attempt.limited = decision
    refused_by = decision.refused_by
    if refused_by is not None and identified.is_new and identified.is_linked:
        await desk.links.refused(tenant.id, attempt.visitor_ref)
    if isinstance(refused_by, Quota):
        wait = refused_by.retry_after(datetime.now(UTC))
        raise PublicError(Code.QUOTA_EXCEEDED, reason=refused_by.reason, retry_after=wait)
    if refused_by is not None:
        raise PublicError(Code.RATE_LIMITED, reason=refused_by.reason, retry_after=decision.retry_after)
    attempt.would_refuse = decision.on_trial


def give_back(desk: Desk, attempt: Attempt) -> None:
    """What was reserved of the quotas is free again; nothing where nothing was."""
    if attempt.limited is not None:
        desk.gateway.limiter.give_back(attempt.limited)


def limits_of(tenant: TenantSnapshot, identified: Identified, attempt: Attempt) -> list[Limit]:
    """The first that refuses is the one that is told."""
    each, name = tenant.limits, tenant.id.hex
    limits = [
        _limit(LimitName.TENANT, f"tenant:{name}", each.per_tenant, tenant),
        _limit(LimitName.VISITOR, f"visitor:{name}:{attempt.visitor_ref}", each.per_visitor, tenant, is_callers=True),
        _limit(
            LimitName.ADDRESS,
            f"address:{name}:{network_of(attempt.address)}",
            each.per_address,
            tenant,
            is_callers=True,
        ),
    ]
    if identified.is_new:
        limits.append(_limit(LimitName.NEW_VISITOR, f"new:{name}", each.new_visitors, tenant))
    return limits


def quotas_of(tenant: TenantSnapshot, *, at: datetime) -> list[Quota]:
    """By the time of the request, as the ledger has it."""
    sizes = ((Period.DAY, tenant.limits.per_day), (Period.MONTH, tenant.limits.per_month))
    on_trial = tenant.limits.log_only
    return [
        Quota.of(tenant.id, period, most, at=at, is_on_trial=f"quota_{period}" in on_trial)
        for period, most in sizes
        if most is not None
    ]


def _limit(name: LimitName, key: str, per_minute: int, tenant: TenantSnapshot, *, is_callers: bool = False) -> Limit:
    return Limit(key, per_minute, name.value, is_callers=is_callers, is_on_trial=name.value in tenant.limits.log_only)
