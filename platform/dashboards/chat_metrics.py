"""What /metrics tells of chats that the platform serves: read from the ledger, so the same from each process.

No tenant is a label; outcomes, kinds of tokens and budgets are few and closed.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from django.db.models import F, Max
from django.utils import timezone
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from chat_server.models import BudgetUsage
from chat_server.run_figures import first_words_histogram, runs_by_outcome, runs_since, sums_of
from chat_server.run_outcomes import OUTCOMES
from gateway.quotas import Period
from tenants.limit_names import LimitName

_HOUR: Final = timedelta(hours=1)

# What only the process that is asked knows; the chat door sets it where chats are served.
open_streams: Callable[[], int] | None = None


def count_open_streams(count: Callable[[], int] | None) -> None:
    """`count` gives the streams that this process has open; None where it serves no chats (any more)."""
    global open_streams
    open_streams = count


def chat_metrics() -> Iterable[Metric]:
    rows = runs_since(timezone.now() - _HOUR)
    runs = GaugeMetricFamily("chatkit_runs_last_hour", "Model runs of the last 60 minutes.", labels=["outcome"])
    others = 0
    for outcome, amount in runs_by_outcome(rows).items():
        if outcome in OUTCOMES:
            runs.add_metric([outcome], amount)
        else:
            others += amount
    if others:
        runs.add_metric(["other"], others)
    yield runs
    sums = sums_of(rows)
    tokens = GaugeMetricFamily("chatkit_tokens_last_hour", "Tokens of the last 60 minutes.", labels=["kind"])
    for kind, amount in (
        ("input", sums.input_tokens - sums.cached_tokens),
        ("cached", sums.cached_tokens),
        ("output", sums.output_tokens),
    ):
        tokens.add_metric([kind], amount)
    yield tokens
    yield GaugeMetricFamily(
        "chatkit_cost_last_hour_dollars", "By the price table, runs with a price.", value=(sums.cost or 0) / 1_000_000
    )
    yield GaugeMetricFamily(
        "chatkit_runs_without_price_last_hour", "Runs whose model has no price.", value=sums.unpriced
    )
    buckets, seconds = first_words_histogram(rows)
    yield GaugeHistogramMetricFamily(
        "chatkit_first_words_last_hour_seconds", "Until a run's first words.", buckets=buckets, gsum_value=seconds
    )
    yield _budgets()
    if open_streams is not None:
        yield GaugeMetricFamily("chatkit_open_streams", "Streams that this process has open.", value=open_streams())


def _budgets() -> Metric:
    now = timezone.now()
    used = GaugeMetricFamily(
        "chatkit_budget_used_ratio", "Of the tenant that has used most of its budget.", labels=["budget"]
    )
    for name, period in ((LimitName.TOKENS_DAY, Period.DAY), (LimitName.COST_MONTH, Period.MONTH)):
        rows = BudgetUsage.objects.filter(name=name, starts_on=period.bounds(now)[0].date(), budget__gt=0)
        most = rows.annotate(share=F("used") * 1.0 / F("budget")).aggregate(most=Max("share"))["most"]
        used.add_metric([name.value], float(most or 0))
    return used
