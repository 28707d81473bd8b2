"""Liveness, readiness and metrics, behind the lean door: what load balancers, containers and Prometheus ask.

Liveness depends on nothing else, or one outage would restart every process. Readiness is a truth table: a database that has
been silent for longer than snapshots may serve takes a process out, and one that takes no rows while the spool takes none either;
Redis, OpenAI and the workers are told, and take nothing out.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from dashboards.chat_metrics import chat_metrics
from dashboards.figures import sessions_by_outcome
from dashboards.key_figures import key_states, last_check_at
from dashboards.quotas import quota_use
from gateway.client_address import identify
from gateway.database_threads import DatabaseThreads
from gateway.errors import Code, PublicError
from gateway.models import OpsScope, OpsToken
from gateway.ops_tokens import find_ops_token, is_shaped_like_a_token
from gateway.resources import gateway_of
from gateway.snapshots import STALE_SECONDS
from sessions_api.desk import desk_of
from sessions_api.spool_status import spool_status

# Prometheus waits 10 s by default, and shall hear why.
FIGURES_SECONDS: Final = 8.0
# One in work, the others waiting: tokens are only known after a look at the database, and anybody may make some up.
MOST_SCRAPES: Final = 4
UP: Final = "up"

logger = logging.getLogger(__name__)


async def livez(request: HttpRequest) -> HttpResponse:
    _require_get(request)
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


async def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503, and JSON `{"ready": bool, "database", "limits", "spool": str}` that says which part is away."""
    _require_get(request)
    gateway = gateway_of(request)
    writer = desk_of(request).writer
    silent_for = gateway.snapshots.seconds_since_confirmed()
    knows_tenants = gateway.snapshots.is_answering or silent_for <= STALE_SECONDS
    is_ready = knows_tenants and writer.refuses not in {"spool_full", "database_silent"}
    parts = {
        "ready": is_ready,
        "database": UP if gateway.snapshots.is_answering else _silent(silent_for),
        "limits": gateway.limiter.kept_in,
        "spool": "not there" if writer.spool is None else writer.spool.state(is_used=writer.is_spooling),
    }
    return JsonResponse(parts, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"})


def _silent(seconds: float) -> str:
    return "never answered yet" if seconds == float("inf") else f"silent for {seconds:.0f} s"


async def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for a bearer of an operations token with the scope metrics:read; else 401, 403 or 503."""
    _require_get(request)
    given = request.headers.get("Authorization", "")
    # Other probes carry nothing; a token that went over plain http has been shown to everybody on the way.
    if given and settings.REQUIRE_HTTPS and not identify(request).is_secure:
        raise PublicError(Code.HTTPS_REQUIRED)
    words = given.split()
    text = words[1] if len(words) == 2 and words[0].lower() == "bearer" else ""
    if not is_shaped_like_a_token(text):
        return _refused(401)
    try:
        return await _scrapes().answer(text)
    except (TimeoutError, OperationalError, InterfaceError) as error:
        # One line: a traceback for every scrape of an outage would say nothing more.
        logger.warning("The database does not answer (%s): a scrape was refused", type(error).__name__)
        raise PublicError(Code.PLATFORM_UNAVAILABLE) from error


def _require_get(request: HttpRequest) -> None:
    if request.method not in {"GET", "HEAD"}:
        raise PublicError(Code.METHOD_NOT_ALLOWED, allow="GET, HEAD")


class Scrapes:
    """One thread for all: a scrape that is slow delays the next ones and nothing else, and only a few may wait."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads("metrics", size=1)
        self._admitted = 0

    async def answer(self, text: str) -> HttpResponse:
        if self._admitted >= MOST_SCRAPES:
            raise PublicError(Code.PLATFORM_UNAVAILABLE)
        self._admitted += 1
        try:
            return await self._threads.run(lambda: scrape(text), seconds=FIGURES_SECONDS)
        finally:
            self._admitted -= 1


@cache
def _scrapes() -> Scrapes:
    return Scrapes()


def scrape(text: str) -> HttpResponse:
    token = find_ops_token(text)
    if not may_scrape(token):
        return _refused(401 if token is None else 403)
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _refused(status: int) -> HttpResponse:
    cure = "Send an operations token that has the scope metrics:read.\n"
    headers = {"WWW-Authenticate": 'Bearer realm="metrics"', "Cache-Control": "no-store"}
    return HttpResponse(cure, status=status, headers=headers, content_type="text/plain")


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
        highest = GaugeMetricFamily(
            "chatkit_quota_used_ratio_max",
            "The largest share of its quota that a tenant has used in the period under way; 1 is all of it.",
            labels=["period"],
        )
        near = GaugeMetricFamily(
            "chatkit_tenants_by_quota_used",
            "Tenants that have used so much of a quota, in percent, or more.",
            labels=["period", "percent"],
        )
        for use in quota_use():
            highest.add_metric([use.period], use.highest)
            for percent, tenants in use.tenants.items():
                near.add_metric([use.period, str(percent)], tenants)
        yield highest
        yield near
        checked = last_check_at()
        age = (datetime.now(UTC) - checked).total_seconds() if checked else float("nan")
        spool = spool_status(settings.SPOOL_DIR)
        yield GaugeMetricFamily("chatkit_spool_requests", "Requests whose rows wait in the spool.", value=spool.lines)
        yield GaugeMetricFamily("chatkit_spool_bytes", "Bytes in the spool's directory.", value=spool.bytes)
        yield GaugeMetricFamily(
            "chatkit_spool_set_aside", "Lines of the spool that were not written; somebody must look.", value=spool.bad
        )
        yield GaugeMetricFamily(
            "chatkit_last_check_age_seconds", "Age of the last key check; grows when worker or beat is away.", value=age
        )
        yield from chat_metrics()
