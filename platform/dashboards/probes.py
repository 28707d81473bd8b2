"""Liveness, readiness and metrics, behind the lean door: what load balancers, containers and Prometheus ask.

Liveness depends on nothing else, or one outage would restart every process. Readiness is a truth table: only a database that has
been silent for longer than snapshots may serve takes a process out; Redis, OpenAI and the workers are told, and take nothing out.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from dashboards.figures import key_states, last_check_at, sessions_by_outcome
from gateway.database_threads import DatabaseThreads
from gateway.models import OpsScope, OpsToken
from gateway.ops_tokens import find_ops_token
from gateway.resources import gateway_of
from gateway.snapshots import STALE_SECONDS

FIGURES_SECONDS = 10.0
UP = "up"


async def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


async def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503, and JSON `{"ready": bool, "database": str, "limits": str}` that says which part is away."""
    gateway = gateway_of(request)
    silent_for = gateway.snapshots.seconds_since_confirmed()
    is_ready = gateway.snapshots.is_answering or silent_for <= STALE_SECONDS
    parts = {
        "ready": is_ready,
        "database": UP if gateway.snapshots.is_answering else _silent(silent_for),
        "limits": gateway.limiter.kept_in,
    }
    return JsonResponse(parts, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"})


def _silent(seconds: float) -> str:
    return "never answered yet" if seconds == float("inf") else f"silent for {seconds:.0f} s"


async def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for a bearer of an operations token with the scope metrics:read; else 401 or 403."""
    words = request.headers.get("Authorization", "").split()
    text = words[1] if len(words) == 2 and words[0].lower() == "bearer" else ""
    token = await _threads().run(lambda: find_ops_token(text), seconds=FIGURES_SECONDS)
    if not may_scrape(token):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        cure = "Send an operations token that has the scope metrics:read.\n"
        return HttpResponse(cure, status=401 if token is None else 403, headers=headers, content_type="text/plain")
    body = await _threads().run(exposition, seconds=FIGURES_SECONDS)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def may_scrape(token: OpsToken | None) -> bool:
    return token is not None and OpsScope.METRICS_READ in token.scopes


def exposition() -> bytes:
    """The text of every metric, read from the database: the same from each process, so that any one may be scraped."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return generate_latest(registry)


class _Figures:
    """No tenant is a label: names are many, and a scrape is no place for customers."""

    def collect(self) -> Iterable[Metric]:
        requests = GaugeMetricFamily(
            "chatkit_session_requests_last_hour",
            "Session requests of the last 60 minutes by outcome.",
            labels=["outcome"],
        )
        for outcome, amount in sessions_by_outcome().items():
            requests.add_metric([outcome], amount)
        yield requests
        keys = GaugeMetricFamily("chatkit_keys", "OpenAI keys in use, by verdict.", labels=["verdict"])
        pairs = GaugeMetricFamily("chatkit_pairs", "Pairs of key and assistant in use, by verdict.", labels=["verdict"])
        for state in key_states():
            keys.add_metric([state.verdict], state.keys)
            pairs.add_metric([state.verdict], state.pairs)
        yield keys
        yield pairs
        checked = last_check_at()
        age = (datetime.now(UTC) - checked).total_seconds() if checked else float("nan")
        yield GaugeMetricFamily(
            "chatkit_last_check_age_seconds", "Age of the last key check; grows when worker or beat is away.", value=age
        )


@cache
def _threads() -> DatabaseThreads:
    # One thread: a scrape that is slow delays the next scrape and nothing else.
    return DatabaseThreads("metrics", size=1)
