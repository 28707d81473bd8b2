"""The lean door itself, as an ASGI application: bodies, hosts, schemes, headers, errors, streams."""

import asyncio
import hashlib
import inspect
import types
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

from gateway.errors import Code, PublicError
from gateway.lean import MAX_BODY, LeanHandler, LeanRequest
from gateway.lean_middleware import lean_middleware

pytestmark = pytest.mark.asyncio

# Of Django 5.2. Where this changes, read what gateway/lean.py overrides anew, then write the new number here.
DJANGO_HANDLER = "d8d9912be907a886"


async def test_django_s_own_handler_is_the_one_that_was_read() -> None:
    parts: list[Any] = [
        *(ASGIHandler.__call__, ASGIHandler.handle, ASGIHandler.read_body, ASGIHandler.send_response),
        *(ASGIRequest.__init__, BaseHandler.load_middleware, BaseHandler._get_response_async),
    ]
    text = "".join(inspect.getsource(part) for part in parts)

    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DJANGO_HANDLER


class Stream:
    """A view's endless answer, and how it ended."""

    def __init__(self) -> None:
        self.ended_by: type[BaseException] | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"data\n"
                await asyncio.sleep(0.01)
        except BaseException as end:
            self.ended_by = type(end)
            raise


class Door:
    """A lean handler over views of the test, which calls it as a server would."""

    def __init__(self, *, body_seconds: float = 10, **views: Callable[..., Any]) -> None:
        urls = types.ModuleType("urls of a test")
        urls.urlpatterns = [path(name, view) for name, view in views.items()]  # type: ignore[attr-defined]
        middleware = lean_middleware("shop.test", ".wild.test")
        self.handler = LeanHandler(urls, middleware, body_seconds=body_seconds)  # type: ignore[arg-type]

    def open(
        self,
        path: str,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        query: bytes = b"",
        scheme: str = "http",
    ) -> ApplicationCommunicator:
        sent = {"host": "shop.test", **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "scheme": scheme,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
        }
        return ApplicationCommunicator(self.handler, scope)

    async def ask(self, path: str, *bodies: bytes, **call: Any) -> "Answer":
        wire = self.open(path, **call)
        for number, body in enumerate(bodies or (b"",), start=1):
            await wire.send_input({"type": "http.request", "body": body, "more_body": number < len(bodies)})
        start = await wire.receive_output(1)
        body = await wire.receive_output(1)
        await wire.wait(1)
        return Answer(start, body)


class Answer:
    def __init__(self, start: dict[str, Any], body: dict[str, Any]) -> None:
        self.status = start["status"]
        self.headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        self.body = body["body"]


async def echo(request: LeanRequest) -> HttpResponse:
    return HttpResponse(b"too large" if request.body_is_too_large else request.body)


async def fail(request: LeanRequest) -> HttpResponse:
    raise ValueError("ek_secret")


async def refuse(request: LeanRequest) -> HttpResponse:
    raise PublicError(Code.BUSY, reason="what only the operator knows")


async def test_a_body_in_pieces_arrives_whole() -> None:
    answer = await Door(echo=echo).ask("/echo", b"one ", b"two ", b"three")

    assert (answer.status, answer.body) == (200, b"one two three")
    assert answer.headers["content-length"] == "13"


@pytest.mark.parametrize("pieces", [[b"x" * (MAX_BODY + 1)], [b"x" * 5000] * 3])
async def test_a_body_that_is_too_large_is_not_kept_and_the_connection_ends(pieces: list[bytes]) -> None:
    wire = Door(echo=echo).open("/echo")
    for piece in pieces:
        await wire.send_input({"type": "http.request", "body": piece, "more_body": True})

    start = await wire.receive_output(1)

    assert (await wire.receive_output(1))["body"] == b"too large"
    assert (b"Connection", b"close") in start["headers"]
    await wire.wait(1)


async def test_a_body_of_just_the_limit_is_taken() -> None:
    answer = await Door(echo=echo).ask("/echo", b"x" * MAX_BODY)

    assert len(answer.body) == MAX_BODY


@pytest.mark.parametrize("pieces", [[], [b"x"]])
async def test_a_body_that_never_comes_holds_no_connection(pieces: list[bytes]) -> None:
    wire = Door(echo=echo, body_seconds=0.1).open("/echo")
    for piece in pieces:
        await wire.send_input({"type": "http.request", "body": piece, "more_body": True})

    start = await wire.receive_output(5)

    assert start["status"] == 408
    assert (b"Connection", b"close") in start["headers"]


async def test_every_answer_of_the_door_itself_differs_by_origin() -> None:
    door = Door(echo=echo, fail=fail, refuse=refuse)
    answers = [
        await door.ask("/fail"),
        await door.ask("/refuse"),
        await door.ask("/nowhere"),
        await door.ask("/echo", headers={"host": "stranger.test"}),
    ]

    assert [answer.status for answer in answers] == [500, 503, 404, 400]
    assert {answer.headers["vary"] for answer in answers} == {"Origin"}


async def test_every_answer_has_its_own_id_and_the_safe_headers() -> None:
    door = Door(echo=echo, fail=fail)

    answers = [await door.ask(path, headers={"x-request-id": "mine"}) for path in ("/echo", "/fail", "/nowhere")]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 3
    assert "mine" not in {answer.headers["x-request-id"] for answer in answers}
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


async def test_a_defect_is_one_error_without_inside_knowledge(caplog: pytest.LogCaptureFixture) -> None:
    answer = await Door(fail=fail).ask("/fail")

    assert answer.status == 500
    assert b"internal_error" in answer.body
    assert b"ek_secret" not in answer.body
    assert "A defect at /fail" in caplog.text


async def test_a_refusal_says_the_code_and_keeps_the_reason() -> None:
    answer = await Door(refuse=refuse).ask("/refuse")

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert b'"busy"' in answer.body
    assert b"operator knows" not in answer.body


async def test_an_address_of_nothing_is_the_same_error_shape() -> None:
    answer = await Door().ask("/nowhere")

    assert answer.status == 404
    assert b'"not_found"' in answer.body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.test", 200),
        ("SHOP.test:8000", 200),
        ("a.wild.test", 200),
        ("stranger.test", 400),
        ("shop.test.stranger.test", 400),
        ("shop.test@stranger.test", 400),
        ("", 400),
    ],
)
async def test_only_our_hosts_are_answered_for(host: str, status: int) -> None:
    answer = await Door(echo=echo).ask("/echo", headers={"host": host, "x-forwarded-host": "shop.test"})

    assert answer.status == status


async def test_plain_http_is_refused_in_production_and_never_redirected(settings: Any) -> None:
    settings.REQUIRE_HTTPS = True
    settings.SECURE_HSTS_SECONDS = 31536000
    door = Door(echo=echo, livez=echo)

    plain = await door.ask("/echo", headers={"x-forwarded-proto": "https"})
    secure = await door.ask("/echo", scheme="https")
    probe = await door.ask("/livez")

    assert (plain.status, secure.status, probe.status) == (403, 200, 200)
    assert b"https_required" in plain.body
    assert "location" not in plain.headers
    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"].startswith("max-age=31536000")


async def test_a_query_that_is_no_text_is_refused() -> None:
    answer = await Door(echo=echo).ask("/echo", query=b"\xff\xfe")

    assert answer.status == 400


async def test_no_request_signal_is_sent() -> None:
    heard: list[str] = []

    def listen(**kwargs: Any) -> None:
        heard.append("signal")

    request_started.connect(listen)
    request_finished.connect(listen)
    await Door(echo=echo).ask("/echo")
    request_started.disconnect(listen)
    request_finished.disconnect(listen)

    assert heard == []


async def test_a_stream_ends_when_the_client_leaves() -> None:
    stream = Stream()

    async def view(request: LeanRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(stream.parts())

    wire = Door(stream=view).open("/stream")
    await wire.send_input({"type": "http.request", "body": b""})
    assert (await wire.receive_output(1))["status"] == 200
    assert (await wire.receive_output(1))["body"] == b"data\n"

    await wire.send_input({"type": "http.disconnect"})
    await wire.wait(1)

    assert stream.ended_by in {asyncio.CancelledError, GeneratorExit}


async def test_a_client_that_leaves_before_its_body_is_complete_is_forgotten() -> None:
    wire = Door(echo=echo).open("/echo")
    await wire.send_input({"type": "http.request", "body": b"half", "more_body": True})

    await wire.send_input({"type": "http.disconnect"})
    await wire.wait(1)

    assert await wire.receive_nothing()


async def test_a_shutdown_waits_for_the_answers_in_work() -> None:
    ended = asyncio.Event()

    async def slow(request: LeanRequest) -> HttpResponse:
        await asyncio.sleep(0.1)
        ended.set()
        return HttpResponse()

    door = Door(slow=slow)
    asking = asyncio.create_task(door.ask("/slow"))
    await asyncio.sleep(0.05)

    await door.handler.finish(seconds=5)

    assert ended.is_set()
    assert (await asking).status == 200
    assert door.handler.running == set()
