"""What happened at the session endpoint, straight from the ledger; the page and the API show the same figures.

Figures of keys are in key_figures.py, those whom nobody serves in broken.py.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Func, IntegerField, QuerySet, Sum
from django.utils import timezone

from dashboards.spans import Span
from sessions_api.models import SessionRequest
from sessions_api.outcomes import GRANTED, OutcomeGroup, group_of


class BucketNumber(Func):
    """Seconds since 1970 divided by the bucket's width, rounded down."""

    output_field = IntegerField()

    def __init__(self, expression: Any, *, seconds: int) -> None:
        super().__init__(expression)
        self.extra["seconds"] = int(seconds)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(
            compiler,
            connection,
            template="(CAST(strftime('%%%%s', %(expressions)s) AS INTEGER) / %(seconds)s)",
            **context,
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="FLOOR(EXTRACT(EPOCH FROM %(expressions)s) / %(seconds)s)::bigint", **context
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """Requests of one bucket by group of outcome."""

    start: datetime
    granted: int
    refused: int
    failed: int

    @property
    def total(self) -> int:
        return self.granted + self.refused + self.failed


@dataclass(frozen=True, slots=True)
class Reason:
    """How often requests were not granted for one code, and for which inner reason."""

    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds that OpenAI took, over requests that asked it; None where none did."""

    p50: int | None
    p95: int | None
    asked: int


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What happened at the session endpoint in one span, for one tenant or for all."""

    span: Span
    bars: tuple[Bar, ...]
    reasons: tuple[Reason, ...]
    latency: Latency

    @property
    def totals(self) -> Bar:
        return Bar(
            self.bars[0].start,
            sum(bar.granted for bar in self.bars),
            sum(bar.refused for bar in self.bars),
            sum(bar.failed for bar in self.bars),
        )


def session_figures(*, span: Span, tenant_id: UUID | None = None, now: datetime | None = None) -> SessionFigures:
    starts = span.buckets(now or timezone.now())
    rows = SessionRequest.objects.filter(at__gte=starts[0], is_preflight=False)
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    return SessionFigures(span, _bars(rows, span, starts), _reasons(rows), _latency(rows))


def _bars(rows: QuerySet[SessionRequest], span: Span, starts: list[datetime]) -> tuple[Bar, ...]:
    width = int(span.bucket.total_seconds())
    counted: dict[int, Counter[OutcomeGroup]] = {}
    grouped = rows.order_by().annotate(bucket=BucketNumber("at", seconds=width)).values_list("bucket", "outcome")
    for bucket, outcome, count in grouped.annotate(requests=Sum("count")).values_list("bucket", "outcome", "requests"):
        counted.setdefault(bucket, Counter())[group_of(outcome)] += count
    return tuple(
        Bar(start, *(counted.get(int(start.timestamp()) // width, Counter())[group] for group in OutcomeGroup))
        for start in starts
    )


def _reasons(rows: QuerySet[SessionRequest], *, most: int = 20) -> tuple[Reason, ...]:
    refused = rows.order_by().exclude(outcome=GRANTED).values("outcome", "reason").annotate(requests=Sum("count"))
    return tuple(
        Reason(row["outcome"], row["reason"], row["requests"])
        for row in refused.order_by("-requests", "outcome")[:most]
    )


def _latency(rows: QuerySet[SessionRequest]) -> Latency:
    """Exact percentiles by position: portable, and the index on time keeps the span small."""
    asked = rows.filter(upstream_ms__isnull=False)
    amount = asked.count()
    if not amount:
        return Latency(None, None, 0)
    ordered = asked.order_by("upstream_ms").values_list("upstream_ms", flat=True)

    def percentile(share: float) -> int | None:
        position = min(amount - 1, int(amount * share))
        return next(iter(ordered[position : position + 1]), None)

    return Latency(percentile(0.50), percentile(0.95), amount)


def sessions_by_outcome(*, since: timedelta = timedelta(hours=1)) -> dict[str, int]:
    """Requests by outcome, from all tenants together."""
    rows = SessionRequest.objects.filter(at__gte=timezone.now() - since, is_preflight=False).order_by()
    return dict(rows.values_list("outcome").annotate(requests=Sum("count")))
