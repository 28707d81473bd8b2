"""What share of a tenant's session requests a mode would refuse, read from the ledger while everybody stays anonymous."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Sum
from django.utils import timezone

from gateway.identity_refusals import IdentityRefusal, RefusalWords
from sessions_api.identify import OK
from sessions_api.models import SessionRequest
from tenants.models import Tenant

DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Refused:
    reason: str
    count: int
    words: RefusalWords


@dataclass(frozen=True, slots=True)
class IdentityShare:
    """Of the last seven days; `missing` carried no token, `refused` carried a bad one, most frequent first."""

    good: int
    missing: int
    refused: tuple[Refused, ...]

    @property
    def bad(self) -> int:
        return sum(row.count for row in self.refused)

    @property
    def total(self) -> int:
        return self.good + self.missing + self.bad

    @property
    def by_optional(self) -> str:
        return self._share(self.bad)

    @property
    def by_required(self) -> str:
        return self._share(self.bad + self.missing)

    def _share(self, count: int) -> str:
        return f"{100 * count / self.total:.1f} %" if self.total else "–"


def identity_share(tenant: Tenant) -> IdentityShare:
    since = timezone.now() - timedelta(days=DAYS)
    rows = SessionRequest.objects.filter(tenant_id=tenant.pk, at__gte=since, is_preflight=False).exclude(identity="")
    # `order_by()`: the ledger's own order would be grouped by as well.
    counts = dict(rows.order_by().values_list("identity").annotate(Sum("count")))
    known = {reason.value for reason in IdentityRefusal}
    refused = [
        Refused(reason, count, IdentityRefusal(reason).words)
        for reason, count in sorted(counts.items(), key=lambda item: -item[1])
        if reason in known and reason != IdentityRefusal.MISSING
    ]
    return IdentityShare(counts.get(OK, 0), counts.get(IdentityRefusal.MISSING.value, 0), tuple(refused))
