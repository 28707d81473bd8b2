"""The sandbox for tests: `with running_sandbox() as sandbox:` and a synchronous, typed client of its control API.

    key = sandbox.add_key(workflows=["wf_1"])          # a valid key of project proj_test
    …the code under test calls sandbox.base_url…
    assert sandbox.calls(method="POST")[0]["user"] == "…"
    sandbox.set_key(key, "billing", code="insufficient_quota")
    sandbox.reset()

The server runs on a free loopback port in a thread with its own event loop, over real HTTP. A sandbox that runs
elsewhere (a demo's) is driven the same way: `Sandbox("http://127.0.0.1:8002")`.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web

from sandbox.app import make_app
from sandbox.background import running
from sandbox.world import World

PROJECT = "proj_test"
TIMEOUT_SECONDS = 10.0


class ControlError(RuntimeError):
    """The control API refused; the text is its sentence."""


class Sandbox:
    """A client of one running sandbox. No proxy is used, whatever the environment says."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.base_url = f"{self.url}/v1"
        self.chatkit_js = f"{self.url}/chatkit.js"
        parts = urlsplit(self.url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 80

    # What exists.

    def add_key(
        self,
        key: str | None = None,
        *,
        project: str = PROJECT,
        organization: str = "",
        workflows: Iterable[str] = (),
        state: str = "valid",
    ) -> str:
        """Registers a key (a random one unless given) and returns it."""
        value = key or f"sk-test-{secrets.token_hex(20)}"
        body = {"key": value, "project": project, "workflows": list(workflows), "state": state}
        self.control("POST", "keys", {**body, "organization": organization})
        return value

    def set_key(
        self, key: str, state: str, *, code: str = "", retry_after: int | None = 20, times: int | None = None
    ) -> None:
        """Puts a key in a state of `sandbox.keys.KeyState`; with `times`, only for that many calls."""
        body = {"key": key, "state": state, "code": code, "retry_after": retry_after, "times": times}
        self.control("POST", "keys/state", body)

    def set_workflow(self, workflow_id: str, *, exists: bool, project: str | None = None) -> None:
        """Adds a workflow, or makes it vanish; in every known project unless one is named."""
        self.control("POST", "workflows", {"id": workflow_id, "exists": exists, "project": project})

    def set_policy(self, unknown_keys: str) -> None:
        """`prefix`: unregistered keys that start with sk-sandbox- are valid; `invalid`: none are."""
        self.control("POST", "policy", {"unknown_keys": unknown_keys})

    def set_model(self, model: str, *, exists: bool) -> None:
        """Takes one of the sandbox's models away, or gives it back."""
        self.control("POST", "models", {"id": model, "exists": exists})

    # The mood of the host.

    def set_host(self, mode: str, *, status: int = 503, delay_ms: int = 2000, interval_ms: int = 500) -> None:
        """`up`, `down`, `slow`, `hang`, `dripping` or `reset`."""
        body = {"mode": mode, "status": status, "delay_ms": delay_ms, "interval_ms": interval_ms}
        self.control("POST", "host", body)

    def set_latency(self, ms: int) -> None:
        self.control("POST", "latency", {"ms": ms})

    def fault(
        self,
        kind: str,
        *,
        path: str | None = None,
        count: int | None = 1,
        key: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Plays a named fault on the next `count` calls that fit; None: until `clear_faults`.

        The kinds are those of `sandbox.faults`, for every path of the API, and the streams' own (`stream_cut` …, see
        `sandbox.responses.stream_faults`), for /v1/responses.
        """
        body = {"kind": kind, "path": path, "count": count, "key": key, "options": dict(options or {})}
        self.control("POST", "fault", body)

    def clear_faults(self) -> None:
        self.control("DELETE", "fault")

    def reset(self) -> None:
        """Forgets everything: keys, sessions, threads, calls, moods."""
        self.control("POST", "reset")

    # What was seen.

    def calls(self, **wanted: object) -> list[dict[str, Any]]:
        """The journal, oldest first.

        Filters: since, limit, method, path (a part of it), status, key (fingerprint), user, workflow, session, op.
        """
        query = urlencode({name: str(value) for name, value in wanted.items()}, quote_via=quote)
        return cast(list[dict[str, Any]], self.control("GET", f"calls?{query}"))

    def creates(self) -> list[dict[str, Any]]:
        """The attempts to create a session: `user`, `workflow`, `key`, `status`, `body`, `headers`."""
        return [call for call in self.calls(method="POST") if call["path"] == "/v1/chatkit/sessions"]

    def runs(self) -> dict[str, int]:
        """How many runs of the model go on at present, and how the others ended: running, finished, left, cut."""
        return cast(dict[str, int], self.control("GET", "runs"))

    def run_calls(self, **wanted: object) -> list[dict[str, Any]]:
        """The calls of /v1/responses without bodies: `key`, `last_four`, `project`, `model`, `text`, `outcome`, `events`."""
        return self.calls(path="/v1/responses", limit=wanted.pop("limit", 20_000), brief=1, **wanted)

    def forget_calls(self) -> None:
        self.control("DELETE", "calls")

    def counters(self) -> dict[str, Any]:
        return cast(dict[str, Any], self.control("GET", "counters"))

    def live_sessions(self) -> list[dict[str, Any]]:
        return cast(list[dict[str, Any]], self.control("GET", "sessions"))

    def expire_sessions(self, session_id: str | None = None) -> None:
        self.control("POST", "sessions/expire", {"id": session_id})

    def threads(self, **wanted: str) -> list[dict[str, Any]]:
        """Threads of every project, or those of a `project` or `user`."""
        return cast(list[dict[str, Any]], self.control("GET", f"threads?{urlencode(wanted, quote_via=quote)}"))

    def state(self) -> dict[str, Any]:
        return cast(dict[str, Any], self.control("GET", "state"))

    # A visitor's browser.

    def say(self, client_secret: str, text: str, *, thread_id: str | None = None) -> list[dict[str, Any]]:
        """Sends a message as the web component would and returns the events of the answer."""
        message = {"content": [{"type": "input_text", "text": text}], "attachments": [], "inference_options": {}}
        params: dict[str, Any] = {"input": message}
        if thread_id is not None:
            params["thread_id"] = thread_id
        op = "threads.create" if thread_id is None else "threads.add_user_message"
        status, raw = self.converse(client_secret, op, params)
        if status != 200:
            raise ControlError(f"the conversation was refused with {status}: {raw.decode(errors='replace')[:300]}")
        return [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: ")]

    def converse(self, client_secret: str, op: str, params: Mapping[str, Any]) -> tuple[int, bytes]:
        """One operation of the component's channel: status and raw body."""
        body = {"type": op, "params": dict(params)}
        return self._send("POST", "/v1/chatkit/conversation", body, {"Authorization": f"Bearer {client_secret}"})

    # The control API itself.

    def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of `/control/…`; raises ControlError with its sentence."""
        status, raw = self._send(method, f"/control/{path}", body, {})
        answer = json.loads(raw)
        if status != 200:
            raise ControlError(str(answer.get("error", answer)))
        return answer

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
        sent = dict(headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, path, body=data, headers=sent)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def running_sandbox(*, port: int = 0, world: World | None = None) -> Iterator[Sandbox]:
    """Starts a sandbox on a free port of 127.0.0.1, yields its client, and stops it."""
    runner = web.AppRunner(make_app(world or World()), access_log=None, shutdown_timeout=0.2)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return int(runner.addresses[0][1])

    async def stop(_: int) -> None:
        await runner.cleanup()

    with running(start, stop) as (bound, _):
        yield Sandbox(f"http://127.0.0.1:{bound}")
