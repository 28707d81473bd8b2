"""Which websites asked for a tenant's chat and were refused: from the ledger, the most frequent first."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Max, Min, Q, Sum

from gateway.errors import Code
from sessions_api.models import SessionRequest
from tenants.origins import OriginRules

DAYS: Final = 7
HOSTS: Final = 20
# Read by the index on tenant and time, the newest first, so that a busy tenant's page opens as fast as any other.
ROWS_READ: Final = 10_000
# Some of the most frequent may be allowed by now, so more are looked at than are shown.
CANDIDATES: Final = 100


@dataclass(frozen=True, slots=True)
class RefusedOrigin:
    origin: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RefusedOrigins:
    """`unnamed` counts refusals of origins beyond those that the ledger names; `since` is the oldest moment looked at."""

    origins: tuple[RefusedOrigin, ...]
    unnamed: int
    since: datetime


def refused_origins(*, tenant_id: uuid.UUID, allowed: OriginRules, now: datetime, days: int = DAYS) -> RefusedOrigins:
    """At most 20 origins of the last days that would be refused now as well; our own preview host is none of them."""
    since = now - timedelta(days=days)
    rows = SessionRequest.objects.filter(tenant_id=tenant_id, at__gt=since)
    oldest = rows.order_by("-at").values_list("at", flat=True)[ROWS_READ : ROWS_READ + 1].first()
    if oldest is not None:
        since, rows = oldest, rows.filter(at__gt=oldest)
    # As conditions of the sums, not of the rows: the database is not to prefer an index that spans all tenants.
    refused = Q(outcome=Code.ORIGIN_NOT_ALLOWED.value)
    counted = (
        rows.order_by()
        .values("origin")
        .annotate(
            refusals=Sum("count", filter=refused), first=Min("at", filter=refused), last=Max("at", filter=refused)
        )
        .filter(refusals__gt=0)
        .order_by("-refusals", "origin")
    )
    unnamed, origins = 0, []
    for origin, refusals, first, last in counted.values_list("origin", "refusals", "first", "last")[:CANDIDATES]:
        if not origin:
            unnamed = refusals
        elif origin != settings.PREVIEW_ORIGIN and not allowed.decide(origin, now=now.timestamp()):
            origins.append(RefusedOrigin(origin, refusals, first, last))
    return RefusedOrigins(tuple(origins[:HOSTS]), unnamed, since)
