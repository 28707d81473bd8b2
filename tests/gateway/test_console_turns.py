"""The console leaves connections to the public door, however many slow pages are asked for."""

import asyncio
from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse

from gateway.middleware import ConsoleTurnsMiddleware


@pytest.mark.asyncio
async def test_no_more_pages_work_at_once_than_the_pool_has_left(settings: Any) -> None:
    settings.CONSOLE_CONCURRENCY = 2
    at_work, most = 0, 0

    async def page(request: HttpRequest) -> HttpResponse:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1
        return HttpResponse()

    door = ConsoleTurnsMiddleware(page)
    answers = await asyncio.gather(*[door(HttpRequest()) for _ in range(10)])  # type: ignore[arg-type]

    assert most == 2
    assert len(answers) == 10


def test_without_a_pool_there_is_nothing_to_share(settings: Any) -> None:
    settings.CONSOLE_CONCURRENCY = 0

    with pytest.raises(MiddlewareNotUsed):
        ConsoleTurnsMiddleware(lambda request: HttpResponse())
