"""Refusals in the ledger: the first of a kind in a minute as rows of their own, the rest as one counted row.

So an operator sees what happens, and nobody fills the disk with curl. A kind is (tenant, reason, origin or address
prefix, minute), counted per process. The kinds are bounded too: beyond the cap, a tenant's refusals of one reason share
one kind, whatever origin they name.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sessions_api.models import SessionRequest

ROWS_PER_KIND: Final = 20
KINDS_PER_TENANT: Final = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """`place` is the origin for an origin refusal, else the address prefix; `minute` counts from the epoch."""

    tenant_id: uuid.UUID
    outcome: str
    reason: str
    place: str
    minute: int
    is_preflight: bool = False

    @property
    def is_of_origin(self) -> bool:
        return self.outcome.startswith("origin_")


class RefusalFold:
    """Counts the refusals of this process and says which leave a row of their own."""

    def __init__(self, *, rows_per_kind: int = ROWS_PER_KIND, kinds_per_tenant: int = KINDS_PER_TENANT) -> None:
        self._rows_per_kind = rows_per_kind
        self._kinds_per_tenant = kinds_per_tenant
        self._seen: Counter[Refusal] = Counter()
        self._folded: Counter[Refusal] = Counter()
        self._kinds: Counter[tuple[uuid.UUID, int]] = Counter()

    def leaves_row(self, refusal: Refusal, *, at_most: int | None = None) -> bool:
        """Count a refusal; whether it is among the first (`at_most`) of its kind. Otherwise it is folded in."""
        kind = self._bounded(refusal)
        self._seen[kind] += 1
        if self._seen[kind] <= (self._rows_per_kind if at_most is None else at_most):
            return True
        self._folded[kind] += 1
        return False

    def take_counted(self, *, before_minute: int) -> list[SessionRequest]:
        """The counted rows of all minutes before this one, which are then forgotten."""
        done = [kind for kind in self._seen if kind.minute < before_minute]
        rows = [_counted_row(kind, self._folded[kind]) for kind in done if self._folded[kind]]
        for kind in done:
            del self._seen[kind]
            self._folded.pop(kind, None)
            self._kinds.pop((kind.tenant_id, kind.minute), None)
        return rows

    def _bounded(self, refusal: Refusal) -> Refusal:
        if refusal in self._seen:
            return refusal
        tenant = refusal.tenant_id, refusal.minute
        if self._kinds[tenant] >= self._kinds_per_tenant:
            return replace(refusal, place="")
        self._kinds[tenant] += 1
        return refusal


def _counted_row(kind: Refusal, count: int) -> SessionRequest:
    return SessionRequest(
        id=uuid.uuid4(),
        at=datetime.fromtimestamp(kind.minute * 60, UTC) + timedelta(seconds=59),
        tenant_id=kind.tenant_id,
        outcome=kind.outcome,
        reason=kind.reason,
        count=count,
        origin=kind.place if kind.is_of_origin else "",
        address="" if kind.is_of_origin else kind.place,
        is_preflight=kind.is_preflight,
    )
