from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards.charts import nice_ceiling, stacked_bars
from dashboards.figures import session_figures
from dashboards.spans import SPANS
from sessions_api.outcomes import FAILED, GRANTED, OutcomeGroup, group_of
from tests.dashboards.ledger import a_request, a_tenant

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_each_request_stands_in_the_bar_of_its_hour() -> None:
    a_request(NOW)
    a_request(NOW - timedelta(minutes=29))
    a_request(NOW - timedelta(minutes=31))
    a_request(NOW - timedelta(hours=25))

    figures = session_figures(span=SPANS["24h"], now=NOW)

    assert [bar.granted for bar in figures.bars[-2:]] == [1, 2]
    assert figures.bars[-1].start == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert figures.totals.total == 3


def test_refusals_counted_together_weigh_their_count() -> None:
    a_request(NOW, "rate_limited", count=480, reason="visitor")
    a_request(NOW, "rate_limited", reason="visitor")
    a_request(NOW, "tenant_misconfigured", reason="invalid_key")

    figures = session_figures(span=SPANS["1h"], now=NOW)

    assert figures.totals.refused == 481
    assert figures.totals.failed == 1
    assert [(each.outcome, each.reason, each.count) for each in figures.reasons] == [
        ("rate_limited", "visitor", 481),
        ("tenant_misconfigured", "invalid_key", 1),
    ]


def test_percentiles_are_those_of_the_requests_that_asked_openai() -> None:
    for milliseconds in range(1, 101):
        a_request(NOW, upstream_ms=milliseconds)
    a_request(NOW, "origin_not_allowed")

    latency = session_figures(span=SPANS["1h"], now=NOW).latency

    assert (latency.p50, latency.p95, latency.asked) == (51, 96, 100)


def test_without_requests_nothing_is_made_up() -> None:
    figures = session_figures(span=SPANS["7d"], now=NOW)

    assert len(figures.bars) == 28
    assert figures.totals.total == 0
    assert figures.latency.p50 is None


def test_one_tenants_figures_hold_no_other_tenants_requests() -> None:
    alder, birch = a_tenant("alder"), a_tenant("birch")
    a_request(NOW, tenant=alder)
    a_request(NOW, tenant=birch)

    assert session_figures(span=SPANS["1h"], tenant_id=alder.pk, now=NOW).totals.granted == 1


def test_the_figures_cost_the_same_few_queries_however_many_rows_there_are() -> None:
    for minute in range(50):
        a_request(NOW - timedelta(minutes=minute), upstream_ms=minute)

    with CaptureQueriesContext(connection) as queries:
        session_figures(span=SPANS["24h"], now=NOW)

    assert len(queries) == 5


def test_every_code_of_the_public_contract_has_its_group() -> None:
    assert group_of(GRANTED) is OutcomeGroup.GRANTED
    assert group_of("origin_not_allowed") is OutcomeGroup.REFUSED
    assert {group_of(code) for code in FAILED} == {OutcomeGroup.FAILED}


def test_the_axis_ends_on_a_number_whose_quarters_are_whole() -> None:
    assert [nice_ceiling(amount) for amount in (0, 4, 5, 9, 21, 81, 1999)] == [4, 4, 8, 20, 40, 200, 2000]


def test_blocks_of_a_bar_stand_on_one_another_within_the_plot() -> None:
    a_request(NOW)
    a_request(NOW, "rate_limited")
    a_request(NOW, "busy")

    chart = stacked_bars(session_figures(span=SPANS["1h"], now=NOW).bars)

    assert [block.group for block in chart.blocks] == ["granted", "refused", "failed"]
    lower, middle, upper = chart.blocks
    assert middle.y + middle.height == pytest.approx(lower.y, abs=0.02)
    assert upper.y + upper.height == pytest.approx(middle.y, abs=0.02)
    assert lower.y + lower.height == pytest.approx(chart.bottom, abs=0.02)
