"""/metrics: what a scraper gets, and what anybody else can cost."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from audit.record import SYSTEM
from dashboards.probes import MOST_SCRAPES, Scrapes, _scrapes, metrics
from gateway.database_threads import DatabaseThreads
from gateway.errors import PublicError
from gateway.models import OpsScope
from gateway.ops_tokens import is_shaped_like_a_token, issue_ops_token, revoke_ops_token
from tests.database_proxy import running_proxy
from tests.platform_server import Platform, running_platform

pytestmark = pytest.mark.django_db(transaction=True)


def bearer(*scopes: str) -> dict[str, str]:
    _token, text = issue_ops_token(label="for " + " ".join(scopes), scopes=list(scopes), actor=SYSTEM)
    return {"Authorization": f"Bearer {text}"}


MADE_UP = "ops_" + "x" * 43


@pytest.fixture
def platform(transactional_db: None) -> Iterator[Platform]:
    with running_platform() as platform:
        yield platform


def test_a_token_with_the_scope_gets_the_figures_and_others_a_reason(platform: Platform) -> None:
    good = platform.request("GET", "/metrics", headers=bearer(OpsScope.METRICS_READ))
    other = platform.request("GET", "/metrics", headers=bearer(OpsScope.KEYS_READ))
    unknown = platform.request("GET", "/metrics", headers={"Authorization": f"Bearer {MADE_UP}"})
    nothing = platform.request("GET", "/metrics")

    assert good.status == 200
    assert b"chatkit_last_check_age_seconds" in good.body
    assert (other.status, unknown.status, nothing.status) == (403, 401, 401)
    assert unknown.headers["www-authenticate"] == 'Bearer realm="metrics"'


def test_a_revoked_token_reads_nothing(platform: Platform) -> None:
    token, text = issue_ops_token(label="old", scopes=[OpsScope.METRICS_READ], actor=SYSTEM)
    revoke_ops_token(token=token, actor=SYSTEM)

    assert platform.request("GET", "/metrics", headers={"Authorization": f"Bearer {text}"}).status == 401


def test_a_token_over_plain_http_is_refused_before_anybody_looks_at_it(transactional_db: None) -> None:
    token = bearer(OpsScope.METRICS_READ)
    with running_platform(REQUIRE_HTTPS="1", TRUSTED_PROXY_COUNT="1") as platform:
        plain = platform.request("GET", "/metrics", headers=token)
        behind_a_proxy = platform.request("GET", "/metrics", headers={**token, "X-Forwarded-Proto": "https"})
        nothing = platform.request("GET", "/metrics")

    assert (plain.status, plain.code) == (403, "https_required")
    assert (behind_a_proxy.status, nothing.status) == (200, 401)


@pytest.mark.parametrize(
    "text",
    ["", "ops_", MADE_UP[:-1], MADE_UP + "x", MADE_UP[:-1] + "é", MADE_UP[:-1] + ".", MADE_UP + "\n", "sk-" + "x" * 44],
)
def test_what_is_not_shaped_like_a_token_costs_no_query(text: str, django_assert_num_queries: Any) -> None:
    request = RequestFactory().get("/metrics", headers={"Authorization": f"Bearer {text}"})

    answer = asyncio.run(metrics(request))

    assert not is_shaped_like_a_token(text)
    assert answer.status_code == 401


def test_a_token_that_we_make_has_the_shape() -> None:
    assert is_shaped_like_a_token(issue_ops_token(label="x", scopes=[OpsScope.KEYS_READ], actor=SYSTEM)[1])


def test_few_scrapes_wait_and_the_others_are_told_to_come_again() -> None:
    """The one thread is busy with something that does not end; nobody queues up behind it without a limit."""
    release = threading.Event()
    scrapes = Scrapes()

    async def scrape_many() -> list[HttpResponse | BaseException]:
        held = asyncio.create_task(_threads_of(scrapes).run(lambda: release.wait(20), seconds=20))
        await asyncio.sleep(0)
        asked = [asyncio.create_task(scrapes.answer(MADE_UP)) for _ in range(MOST_SCRAPES + 20)]
        refused, _ = await asyncio.wait(asked[MOST_SCRAPES:], timeout=5)
        still_waiting = [task for task in asked[:MOST_SCRAPES] if not task.done()]
        release.set()
        await held
        assert (len(refused), len(still_waiting)) == (20, MOST_SCRAPES)
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(scrape_many())
    _threads_of(scrapes).close(seconds=5)

    assert [answer.status_code for answer in answers if isinstance(answer, HttpResponse)] == [401] * MOST_SCRAPES
    assert [(error.status, error.retry_after) for error in answers if isinstance(error, PublicError)] == [(503, 5)] * 20


def test_while_the_database_is_away_a_scrape_is_told_so(on_services: None, transactional_db: None) -> None:
    token = bearer(OpsScope.METRICS_READ)
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url) as platform:
        assert platform.request("GET", "/metrics", headers=token).status == 200
        proxy.cut()
        began = time.monotonic()
        away = platform.request("GET", "/metrics", headers=token)
        seconds = time.monotonic() - began
        log = platform.log

    assert (away.status, away.code, away.headers["retry-after"]) == (503, "platform_unavailable", "5")
    assert seconds < 10
    assert "a scrape was refused" in log
    assert "Traceback" not in log


def test_a_database_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.probes.FIGURES_SECONDS", 0.2)
    request = RequestFactory().get("/metrics", headers={"Authorization": f"Bearer {MADE_UP}"})
    release = threading.Event()

    async def scrape_meanwhile() -> None:
        held = asyncio.create_task(_threads_of(_scrapes()).run(lambda: release.wait(20), seconds=20))
        await asyncio.sleep(0)
        try:
            await metrics(request)
        finally:
            release.set()
            await held

    with pytest.raises(PublicError) as refused:
        asyncio.run(scrape_meanwhile())

    assert (refused.value.status, refused.value.retry_after) == (503, 5)


def _threads_of(scrapes: Scrapes) -> DatabaseThreads:
    return scrapes._threads
