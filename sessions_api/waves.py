"""How far the cancelling of live sessions has come: all that were marked at once for one reason are one wave."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from sessions_api.models import LiveSession
from sessions_api.revoke import CancelReason


@dataclass(frozen=True, slots=True)
class Wave:
    """`failing` ones were tried and are tried again; `waiting` ones come first. What has `expired` needs nobody any more."""

    requested_at: datetime
    reason: str
    sessions: int
    cancelled: int
    waiting: int
    failing: int
    expired: int

    @property
    def why(self) -> str:
        return str(CancelReason(self.reason).label) if self.reason in CancelReason.values else self.reason

    @property
    def is_over(self) -> bool:
        return not self.waiting and not self.failing


def waves_of(tenant_id: uuid.UUID, *, most: int = 5) -> list[Wave]:
    """The latest first. A wave is known until an hour after its sessions have expired."""
    return _waves(LiveSession.objects.filter(tenant=tenant_id, cancel_requested_at__isnull=False), most)


def wave_over(session_ids: Sequence[uuid.UUID]) -> Wave | None:
    """Of these sessions alone, whatever waves they belong to; None for none."""
    rows = LiveSession.objects.filter(pk__in=session_ids)
    counted = rows.aggregate(**_counts())
    return Wave(timezone.now(), "", **counted) if counted["sessions"] else None


def _waves(marked: QuerySet[LiveSession], most: int) -> list[Wave]:
    grouped = marked.order_by().values_list("cancel_requested_at", "cancel_reason").annotate(**_counts())
    rows: list[Any] = list(grouped.order_by("-cancel_requested_at")[:most])
    return [Wave(*row) for row in rows]


def _counts() -> dict[str, Count]:
    """In the order of a wave's fields."""
    is_open = Q(cancelled_at=None, expires_at__gt=timezone.now())
    return {
        "sessions": Count("pk"),
        "cancelled": Count("pk", filter=Q(cancelled_at__isnull=False)),
        "waiting": Count("pk", filter=is_open & Q(attempts=0)),
        "failing": Count("pk", filter=is_open & Q(attempts__gt=0)),
        "expired": Count("pk", filter=Q(cancelled_at=None, expires_at__lte=timezone.now())),
    }
