"""Runs schemathesis on the public endpoints of a real server process: every check that it has, and one of ours.

    run = run_schemathesis(platform.url, seed=seed, examples=50, dictionaries={"header.Origin": ["https://shop.example"]})
    assert run.failures == []

Most cases are dressed from `dictionaries`, so that they get past the first refusal; the others stay as they were made up.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from dashboards.public_api.chat_endpoints import TAG
from dashboards.public_api.document import public_openapi
from gateway.lean_middleware import DEFAULT_HEADERS

DRESSED: Final = 0.85
# What a server says of the connection, not of the answer; and what the document says of every answer at once.
EVERYWHERE: Final = {
    *("content-type", "content-length", "date", "connection", "transfer-encoding"),
    *(name.lower() for name in DEFAULT_HEADERS),
}
# The defaults of schemathesis; 5xx is no answer to good data here.
_ACCEPTED: Final = ("2xx", "3xx", "401", "403", "404", "409", "429")
_REJECTED: Final = ("400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx")


@dataclass
class Run:
    """`seen` counts (operation, status, code); `failures` are texts with the request to repeat."""

    seed: int
    cases: int = 0
    seen: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        counted: Counter[int] = Counter()
        for (_, status, _), count in self.seen.items():
            counted[status] += count
        return counted

    @property
    def codes(self) -> set[str]:
        return {code for _, _, code in self.seen if code}


@schemathesis.check
def undocumented_headers(ctx: Any, response: Any, case: Any) -> None:
    """Whatever header an answer has, its response object names it."""
    described = case.operation.schema.raw_schema["paths"][case.operation.path]
    answers = [each for method, each in described.items() if method == response.request.method.lower()]
    if not answers:
        return
    answer = answers[0]["responses"].get(str(response.status_code), {})
    documented = {name.lower() for name in answer.get("headers", {})} | EVERYWHERE
    unknown = {name.lower() for name in response.headers} - documented
    assert not unknown, f"{response.status_code} has headers that the document does not name: {sorted(unknown)}"


def run_schemathesis(
    url: str,
    *,
    seed: int,
    examples: int,
    dictionaries: Mapping[str, Iterable[str]],
    pinned: Mapping[str, str] | None = None,
    token: str = "",
    may_fail: Iterable[int] = (),
    phases: Iterable[str] = ("examples", "coverage", "fuzzing", "stateful"),
    only: str | None = None,
) -> Run:
    """`examples` for each operation; `pinned` parameters have one value in every case; `may_fail` names statuses of 500
    and above that the server is made to give.
    """
    wanted = set(phases)
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "request-timeout": 30,
            "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
            "suppress-health-check": ["all"],
            "phases": {name: {"enabled": name in wanted} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "checks": {
                "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", *map(str, may_fail)]},
                # A body of more than 8 KiB is refused unread, whatever is in it.
                "positive_data_acceptance": {"expected-statuses": [*_ACCEPTED, "413", *map(str, may_fail)]},
                "negative_data_rejection": {"expected-statuses": [*_REJECTED, "413"]},
            },
            "dictionaries": {name: {"values": list(values)} for name, values in dictionaries.items()},
            "parameters": {
                **{name: {"dictionary": name, "probability": DRESSED} for name in dictionaries},
                **(pinned or {}),
            },
            **({"auth": {"openapi": {"operationsToken": {"bearer": token}}}} if token else {}),
        }
    )
    schema = schemathesis.openapi.from_dict(strict(public_openapi(server=url)), config=config)
    # Event streams are judged by OpenAI's own types, which schemathesis can't read: tests/chat_server, test_document.py first.
    schema = schema.exclude(tag=TAG)
    if only is not None:
        schema = schema.include(operation_id=only)
    run = Run(seed)
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(run, event.recorder)
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            run.failures.append(str(getattr(event, "info", event)) + repr(getattr(event, "value", "")))
    return run


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every answer's object closed: what it does not name, a server must not say."""
    closed = copy.deepcopy(document)
    for name, each in closed["components"]["schemas"].items():
        if name not in {"SessionCall", "SessionEnd"}:
            _close(each)
    return closed


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            schema["additionalProperties"] = False
        for part in schema.values():
            _close(part)


def _note(run: Run, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        run.cases += 1
        response = interaction.response
        if response is None:
            run.failures.append(
                f"{recorder.label}: no answer to {interaction.request.method} {interaction.request.uri}"
            )
            continue
        run.seen[recorder.label, response.status_code, _code_of(response)] += 1
        for check in recorder.checks.get(case_id, []):
            if check.status in (Status.FAILURE, Status.ERROR):
                info = check.failure_info
                said = (
                    f"{info.failure.title}: {info.failure.message}\n{info.code_sample}" if info else "the check broke"
                )
                run.failures.append(f"{recorder.label}: {check.name}: {said}")


def _code_of(response: Any) -> str:
    try:
        return str(json.loads(response.content)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""
