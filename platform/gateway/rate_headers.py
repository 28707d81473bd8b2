"""The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, structured fields).

    RateLimit-Policy: "tenant";q=600;w=60, "visitor";q=10;w=60, "address";q=120;w=60
    RateLimit: "visitor";r=9;t=6

The policy names every limit per minute that may refuse; one on trial is not named, since nobody need heed it. `RateLimit`
says what is left of the one that is nearest to refusing, and in how many seconds it will be whole again. It speaks of
what the caller alone uses up: how busy the tenant is, and how large its quota, is no page's business. So a limit of the
whole tenant and a quota are named only when they refuse; then r is 0 and t is what Retry-After says.
"""

import math
from functools import lru_cache

from django.http import HttpResponse

from gateway.gcra import Limit
from gateway.limit_decision import Decision


def tell_limits(response: HttpResponse, decision: Decision) -> None:
    """Set both headers, for an answer that came after the limits were asked. A refusal has its Retry-After already."""
    enforced = tuple((limit.reason, limit.per_minute) for limit in decision.limits if not limit.is_on_trial)
    if enforced:
        response["RateLimit-Policy"] = _policy(enforced)
    if decision.refused_by is not None:
        name = _name(decision.refused_by.reason)
        response["RateLimit"] = f'"{name}";r=0;t={response.get("Retry-After", "1")}'
        return
    callers = [
        (limit.left(ahead), ahead, limit)
        for limit, ahead in zip(decision.limits, decision.ahead, strict=False)
        if limit.is_callers and not limit.is_on_trial
    ]
    if callers:
        left, ahead, limit = min(callers, key=_nearest)
        response["RateLimit"] = f'"{_name(limit.reason)}";r={left};t={math.ceil(ahead / 1e6)}'


def _nearest(each: tuple[int, int, Limit]) -> tuple[int, int]:
    left, ahead, _ = each
    return left, -ahead


@lru_cache(maxsize=1024)
def _policy(limits: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f'"{_name(reason)}";q={per_minute};w=60' for reason, per_minute in limits)


def _name(reason: str) -> str:
    """`new_visitor_limit` is "new-visitor", `quota_day` "quota-day"."""
    return reason.removesuffix("_limit").replace("_", "-")
