"""What the lean door remembers of the addresses it was asked for."""

import pytest
from django.http import HttpResponse

from gateway.lean import LeanRequest
from tests.gateway.test_lean import Door


@pytest.mark.asyncio
async def test_an_address_too_long_to_remember_is_served_all_the_same() -> None:
    async def tail(_request: LeanRequest, rest: str) -> HttpResponse:
        return HttpResponse(str(len(rest)))

    door = Door(**{"x/<str:rest>": tail})

    answers = [await door.ask(f"/x/{'a' * length}") for length in (10, 10, 5000, 5000)]

    assert [answer.body for answer in answers] == [b"10", b"10", b"5000", b"5000"]
    assert door.handler._resolve_lately.cache_info().currsize == 1
