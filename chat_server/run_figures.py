"""Sums of the ledger of runs: what the console, the operations API and /metrics show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from chat_server.models import ChatRun
from chat_server.run_account import ANSWERED, CUT

# Upper bounds, in milliseconds, of the histogram of first words.
FIRST_WORDS_BOUNDS: Final = (250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000)


@dataclass(frozen=True, slots=True)
class RunSums:
    """`cost` in microdollars, None where no run had a price; `unpriced` counts runs that took tokens and had none."""

    runs: int
    answered: int
    cut: int
    estimated: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    cost: int | None
    unpriced: int


@dataclass(frozen=True, slots=True)
class FirstWords:
    """Milliseconds until the first words, over runs that had any; None where none did."""

    p50: int | None
    p95: int | None
    counted: int


@dataclass(frozen=True, slots=True)
class RunError:
    outcome: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class TopTenant:
    """`cost` in microdollars."""

    tenant_id: UUID | None
    runs: int
    tokens: int
    cost: int | None


def runs_since(since: datetime, *, tenant_id: UUID | None = None) -> QuerySet[ChatRun]:
    rows = ChatRun.objects.filter(at__gte=since).order_by()
    return rows if tenant_id is None else rows.filter(tenant_id=tenant_id)


def spent_since(since: datetime, *, tenant_id: UUID | None = None) -> RunSums:
    return sums_of(runs_since(since, tenant_id=tenant_id))


def sums_of(rows: QuerySet[ChatRun]) -> RunSums:
    found = rows.aggregate(
        runs=Count("pk"),
        answered=Count("pk", filter=Q(outcome=ANSWERED)),
        cut=Count("pk", filter=Q(outcome=CUT)),
        estimated=Count("pk", filter=Q(is_estimated=True)),
        input=Sum("input_tokens", default=0),
        cached=Sum("cached_tokens", default=0),
        output=Sum("output_tokens", default=0),
        cost_sum=Sum("cost_microdollars"),
        unpriced=Count("pk", filter=Q(cost_microdollars__isnull=True, turns__gt=0)),
    )
    return RunSums(
        found["runs"],
        found["answered"],
        found["cut"],
        found["estimated"],
        found["input"],
        found["cached"],
        found["output"],
        # Runs that took nothing and had no price cost nothing.
        found["cost_sum"] if found["unpriced"] else found["cost_sum"] or 0,
        found["unpriced"],
    )


def first_words_of(rows: QuerySet[ChatRun]) -> FirstWords:
    """Exact percentiles by position: portable, and the index on time keeps the span small."""
    told = rows.filter(first_ms__isnull=False)
    amount = told.count()
    if not amount:
        return FirstWords(None, None, 0)
    ordered = told.order_by("first_ms").values_list("first_ms", flat=True)

    def percentile(share: float) -> int | None:
        position = min(amount - 1, int(amount * share))
        return next(iter(ordered[position : position + 1]), None)

    return FirstWords(percentile(0.50), percentile(0.95), amount)


def errors_of(rows: QuerySet[ChatRun], *, most: int = 20) -> tuple[RunError, ...]:
    failed = rows.exclude(outcome__in=(ANSWERED, CUT)).values("outcome", "reason").annotate(runs=Count("pk"))
    return tuple(
        RunError(row["outcome"], row["reason"], row["runs"]) for row in failed.order_by("-runs", "outcome")[:most]
    )


def top_tenants(rows: QuerySet[ChatRun], *, most: int = 10) -> tuple[TopTenant, ...]:
    """Those that took most tokens."""
    grouped = rows.values("tenant_id").annotate(
        runs=Count("pk"), tokens=Sum(F("input_tokens") + F("output_tokens")), cost=Sum("cost_microdollars")
    )
    return tuple(TopTenant(**row) for row in grouped.order_by("-tokens", "tenant_id")[:most])


def runs_by_outcome(rows: QuerySet[ChatRun]) -> dict[str, int]:
    return dict(rows.values_list("outcome").annotate(runs=Count("pk")))


def first_words_histogram(rows: QuerySet[ChatRun]) -> tuple[list[tuple[str, float]], float]:
    """Cumulated counts by upper bound in seconds, as Prometheus has them, and the sum of all in seconds."""
    told = rows.filter(first_ms__isnull=False)
    counted = told.aggregate(
        total=Count("pk"),
        took=Sum("first_ms", default=0),
        **{f"upto_{bound}": Count("pk", filter=Q(first_ms__lte=bound)) for bound in FIRST_WORDS_BOUNDS},
    )
    buckets = [(f"{bound / 1000:g}", float(counted[f"upto_{bound}"])) for bound in FIRST_WORDS_BOUNDS]
    return [*buckets, ("+Inf", float(counted["total"]))], counted["took"] / 1000
