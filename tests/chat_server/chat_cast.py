"""A visitor of a chat: speaks ChatKit's protocol over real HTTP, with requests and events of OpenAI's own types."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from chatkit.types import (
    InferenceOptions,
    ThreadAddUserMessageParams,
    ThreadCreateParams,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadStreamEvent,
    UserMessageInput,
    UserMessageTextContent,
)
from pydantic import BaseModel, TypeAdapter

from sandbox.testing import Sandbox
from tests.platform_server import Answer, Platform
from tests.sessions_api.cast import Shop

EVENT: TypeAdapter[Any] = TypeAdapter(ThreadStreamEvent)
BACKENDS = ["hosted_workflow", "platform"]
HEARTBEAT = ": ping"


class Stream:
    """An answer as it comes: every event is one of ChatKit's, or the test fails."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.connection = connection
        self.response = response
        self.heartbeats = 0

    def __iter__(self) -> Iterator[Any]:
        while line := self.response.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("data: "):
                yield EVENT.validate_json(text.removeprefix("data: "))
            elif text == HEARTBEAT:
                self.heartbeats += 1
            else:
                assert text == "", text

    def until(self, *kinds: str) -> Any:
        """The next event of one of these kinds."""
        return next(event for event in self if event.type in kinds)

    def leave(self) -> None:
        # The response holds the socket as well.
        self.response.close()
        self.connection.close()


@dataclass
class Talker:
    """One visitor on one page of one tenant."""

    platform: Platform
    public_id: str
    origin: str
    token: str = field(repr=False)
    visitor_token: str = field(default="", repr=False)

    @property
    def path(self) -> str:
        return f"/api/v1/tenants/{self.public_id}/chatkit/"

    def headers(self, **more: str) -> dict[str, str]:
        return {
            "Origin": self.origin,
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }

    def ask(self, request: BaseModel | bytes, **headers: str) -> Answer:
        """The whole answer, whatever it is."""
        body = request if isinstance(request, bytes) else request.model_dump_json().encode()
        return self.platform.request("POST", self.path, body=body, headers=self.headers(**headers), timeout=60)

    @contextmanager
    def stream(self, request: BaseModel, *, timeout: float = 30, buffer: int = 0) -> Iterator[Stream]:
        connection = http.client.HTTPConnection("127.0.0.1", self.platform.port, timeout=timeout)
        connection.connect()
        try:
            connection.request("POST", self.path, body=request.model_dump_json().encode(), headers=self.headers())
            response = connection.getresponse()
            assert response.status == 200, response.read()
            stream = Stream(connection, response)
            yield stream
            stream.leave()
        finally:
            connection.close()

    def events(self, request: BaseModel) -> list[Any]:
        with self.stream(request) as stream:
            assert stream.response.headers["Content-Type"] == "text/event-stream"
            return list(stream)

    def begin(self, text: str = "hello") -> str:
        """A conversation with an answer; its id."""
        return str(self.events(create(text))[0].thread.id)


def message(text: str, *, attachments: list[str] | None = None) -> UserMessageInput:
    return UserMessageInput(
        content=[UserMessageTextContent(text=text)],
        attachments=attachments or [],
        inference_options=InferenceOptions(),
    )


def create(text: str = "hello", **given: Any) -> ThreadsCreateReq:
    return ThreadsCreateReq(params=ThreadCreateParams(input=message(text, **given)))


def add(thread_id: str, text: str = "and more", **given: Any) -> ThreadsAddUserMessageReq:
    return ThreadsAddUserMessageReq(
        params=ThreadAddUserMessageParams(input=message(text, **given), thread_id=thread_id)
    )


def kinds(events: list[Any]) -> list[str]:
    return [event.type for event in events]


def said(events: list[Any]) -> str:
    """What the assistant said in these events."""
    done = [
        event.item for event in events if event.type == "thread.item.done" and event.item.type == "assistant_message"
    ]
    return "".join(part.text for item in done for part in item.content)


def items_of(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    return list(answer.json["data"])


@dataclass
class Chat:
    """The running platform with SERVE_CHAT, the sandbox in place of OpenAI, and a tenant whose assistant it serves."""

    platform: Platform
    sandbox: Sandbox
    shop: Shop

    def talker(self, shop: Shop | None = None, *, visitor_token: str = "", assistant: str | None = None) -> Talker:
        """A visitor whom nobody has seen before, unless a token is given; its chat token is the session endpoint's."""
        shop = shop or self.shop
        body = {"backends": BACKENDS, "visitor_token": visitor_token or None, "assistant": assistant}
        answer = shop.ask(self.platform, body=body)
        assert answer.status == 200, answer.body
        granted = answer.json
        assert granted["backend"] == "platform"
        return Talker(
            self.platform, shop.public_id, shop.origin, granted["client_secret"], granted["visitor_token"] or ""
        )

    def runs_that_end(self, *, seconds: float = 5) -> list[dict[str, Any]]:
        """The model's runs, once none goes on any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            calls = self.sandbox.run_calls()
            if calls and all(call["outcome"] for call in calls):
                return calls
            time.sleep(0.05)
        raise AssertionError(f"a run went on at the model's: {json.dumps(self.sandbox.run_calls())[-500:]}")
