"""OpenAI's ChatKit API, and the probe of a model, as deeds: sent by the transport, read into a value or raised as an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from chatkit_client import answers, calls
from chatkit_client.answers import Answer, Session, ThreadPage
from chatkit_client.calls import Call, SessionSettings
from chatkit_client.classify import classify_failure
from chatkit_client.credentials import Credentials
from chatkit_client.echoes import repeats_key
from chatkit_client.errors import ChatKitError
from chatkit_client.transport import Transport

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Created:
    """A granted session and how it came; `latency_ms` in milliseconds."""

    session: Session
    latency_ms: int
    status: int
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe that succeeded; `latency_ms` in milliseconds."""

    latency_ms: int
    status: int
    request_id: str | None


class ChatKitClient:
    """Every deed takes base URL and credentials, an optional `deadline` in seconds, and raises `ChatKitError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create_session(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        user: str,
        settings: SessionSettings,
        state_variables: Mapping[str, str | int | float | bool] | None = None,
        deadline: float | None = None,
        fresh: bool = False,
    ) -> Created:
        """Mint a session for one visitor; `state_variables` go over those of the settings. `fresh`: on a new connection."""
        call = calls.create_session(user=user, settings=settings, state_variables=state_variables)
        answer = await self._transport.send(base_url, credentials, call, deadline=deadline, fresh=fresh)
        session = _read(
            lambda: answers.read_session(answer, user=user, workflow_id=settings.workflow_id, key=credentials.key),
            credentials,
        )
        return Created(session, answer.latency_ms, answer.status, answer.request_id)

    async def cancel_session(
        self, base_url: str, credentials: Credentials, session_id: str, *, deadline: float | None = None
    ) -> bool:
        """End a session; False where OpenAI doesn't know it (any more), which is just as good."""
        call = calls.cancel_session(session_id)
        return await self._remove(
            base_url, credentials, call, deadline, lambda answer: answers.read_cancelled(answer, session_id=session_id)
        )

    async def list_threads(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        limit: int = 20,
        after: str | None = None,
        user: str | None = None,
        order: Literal["asc", "desc"] = "desc",
        deadline: float | None = None,
    ) -> ThreadPage:
        """List one page of threads, of all users or of one."""
        call = calls.list_threads(limit=limit, after=after, user=user, order=order)
        answer = await self._transport.send(base_url, credentials, call, deadline=deadline)
        return _read(lambda: answers.read_threads(answer), credentials)

    async def delete_thread(
        self, base_url: str, credentials: Credentials, thread_id: str, *, deadline: float | None = None
    ) -> bool:
        """Delete a thread; False where OpenAI doesn't know it (any more), which is just as good."""
        call = calls.delete_thread(thread_id)
        return await self._remove(
            base_url, credentials, call, deadline, lambda answer: answers.read_deleted(answer, thread_id=thread_id)
        )

    async def read_probe(self, base_url: str, credentials: Credentials, *, deadline: float | None = None) -> Probed:
        """Prove that the key is valid and reaches ChatKit, without side effects."""
        answer = await self._transport.send(base_url, credentials, calls.read_probe(), deadline=deadline)
        _read(lambda: answers.read_threads(answer), credentials)
        return Probed(answer.latency_ms, answer.status, answer.request_id)

    async def show_model(
        self, base_url: str, credentials: Credentials, model: str, *, deadline: float | None = None
    ) -> Probed:
        """Prove that the key sees the model, without side effects and for nothing."""
        answer = await self._transport.send(base_url, credentials, calls.show_model(model), deadline=deadline)
        _read(lambda: answers.read_model(answer), credentials)
        return Probed(answer.latency_ms, answer.status, answer.request_id)

    async def shortest_answer(
        self, base_url: str, credentials: Credentials, model: str, *, deadline: float | None = None
    ) -> Probed:
        """Prove that the key may run the model: a few tokens are billed, and OpenAI keeps no conversation."""
        answer = await self._transport.send(base_url, credentials, calls.shortest_answer(model), deadline=deadline)
        has_run, code = _read(lambda: answers.read_response(answer), credentials)
        if not has_run:
            failure = classify_failure(code)
            failure.request_id, failure.latency_ms = answer.request_id, answer.latency_ms
            if failure.code is not None and repeats_key(failure.code, credentials.key.reveal()):
                failure.code = None
            raise failure
        return Probed(answer.latency_ms, answer.status, answer.request_id)

    async def _remove(
        self,
        base_url: str,
        credentials: Credentials,
        call: Call,
        deadline: float | None,
        read: Callable[[Answer], None],
    ) -> bool:
        answer = await self._transport.send(base_url, credentials, call, deadline=deadline)
        if answers.says_gone(answer):
            return False
        _read(lambda: read(answer), credentials)
        return True


def _read(read: Callable[[], _V], credentials: Credentials) -> _V:
    """Read an answer; an error code that repeats the key is dropped, for codes are logged."""
    try:
        return read()
    except ChatKitError as error:
        if error.code is not None and repeats_key(error.code, credentials.key.reveal()):
            error.code = None
        raise
