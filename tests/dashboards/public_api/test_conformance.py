"""F1: what the public endpoints answer is what their document says, whatever is sent to them.

The seed is printed with every failure and kept with the proof; SCHEMATHESIS_SEED repeats a run.
"""

import os
from collections import Counter
from typing import Any

import pytest

from audit.record import SYSTEM
from gateway.models import OpsScope
from gateway.ops_tokens import issue_ops_token
from sandbox.testing import Sandbox
from tests.dashboards.public_api.schemathesis_run import Run, run_schemathesis
from tests.platform_server import Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import Shop, environment_for, open_shop

SEED = int(os.environ.get("SCHEMATHESIS_SEED", "20261124"))
MANY = 1_000_000
WIDE_OPEN = {"LOG_LEVEL": "WARNING", "SESSIONS_PER_MINUTE_ADDRESS": str(MANY)}


def require_none(failures: dict[int, list[str]]) -> None:
    """Failures by seed; the first ones are told whole, with the request to repeat."""
    told = [f"Seed {seed}. {failure}" for seed, found in failures.items() for failure in found]
    assert not told, "\n\n".join([f"{len(told)} failures", *told[:10]])


def metrics_token() -> str:
    return issue_ops_token(label="schemathesis", scopes=[OpsScope.METRICS_READ], actor=SYSTEM)[1]


def dress(shop: Shop, *, origins: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """What most cases wear: the shop's public id, its page's origin, its assistant."""
    return {
        "path.public_id": [shop.public_id],
        "header.Origin": [shop.origin, *origins],
        "query.assistant": [shop.assistant.slug],
        "body.assistant": [shop.assistant.slug],
        "body.backends[*]": ["hosted_workflow"],
        "path.version": ["1.0.0"],
    }


@pytest.mark.proof("F1")
def test_what_is_answered_is_what_the_document_says(same_site: None, sandbox: Sandbox, proof: Proof) -> None:
    """Nothing is broken and no limit is near: every status of 500 and above would be a defect."""
    shop = open_shop(sandbox, sessions_per_minute=MANY, new_visitors_per_minute=MANY)
    token = metrics_token()
    wanted = proof.size(reduced=300, full=20_000)
    runs: list[Run] = []
    with running_platform(**environment_for(sandbox) | WIDE_OPEN) as platform:
        while len(runs) < 2 or (sum(run.cases for run in runs) < wanted and not any(run.failures for run in runs)):
            # In turns: with made-up ids among the genuine ones, and with every case at the shop.
            pinned = {"path.public_id": shop.public_id} if len(runs) % 2 else {}
            runs.append(
                run_schemathesis(
                    platform.url,
                    seed=SEED + len(runs),
                    examples=proof.size(reduced=5, full=400),
                    dictionaries=dress(shop),
                    pinned=pinned,
                    token=token,
                )
            )
    statuses = sum((run.statuses for run in runs), Counter[int]())
    proof.record(
        cases_sent=statuses.total(), seed=SEED, **{f"status_{status}": n for status, n in sorted(statuses.items())}
    )

    require_none({run.seed: run.failures for run in runs})
    assert statuses.total() >= wanted
    assert {200, 204, 400, 401, 403, 404, 405} <= set(statuses)
    assert any(
        operation == "POST /api/v1/tenants/{public_id}/chatkit/session/" and status == 200
        for run in runs
        for operation, status, _ in run.seen
    )


def test_refusals_by_limits_are_what_the_document_says(same_site: None, sandbox: Sandbox) -> None:
    """Both limits: the one before any work for an address, and those of a tenant's sessions."""
    strict, flooded = open_shop(sandbox, sessions_per_minute=1), open_shop(sandbox, "Birch", origin="https://b.example")
    with running_platform(**environment_for(sandbox)) as platform:
        limited = run_session_calls(platform.url, strict, examples=25)
    with running_platform(**environment_for(sandbox) | {"SESSIONS_PER_MINUTE_ADDRESS": "1"}) as platform:
        cut_off = run_session_calls(platform.url, flooded, examples=25)

    require_none({run.seed: run.failures for run in (limited, cut_off)})
    assert limited.statuses[429] > 5
    assert cut_off.statuses[429] > 5


@pytest.mark.parametrize(
    "code", ["tenant_misconfigured", "upstream_throttled", "upstream_unavailable", "upstream_invalid"]
)
def test_failures_of_others_are_what_the_document_says(platform: Platform, sandbox: Sandbox, code: str) -> None:
    shop = open_shop(sandbox, sessions_per_minute=MANY, new_visitors_per_minute=MANY)
    break_upstream(sandbox, shop, code)

    run = run_session_calls(platform.url, shop, may_fail=(502, 503))

    require_none({run.seed: run.failures})
    assert code in run.codes
    assert 500 not in run.statuses


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/widget/v1/embed.js", "/widget/1.0.0/embed.js"])
def test_another_method_is_refused_with_those_that_there_are(platform: Platform, path: str) -> None:
    answer = platform.request("POST", path)

    assert (answer.code, answer.status, answer.headers["allow"]) == ("method_not_allowed", 405, "GET, HEAD")
    assert platform.request("HEAD", path).status == platform.request("GET", path).status


def run_session_calls(url: str, shop: Shop, *, examples: int = 12, **how: Any) -> Run:
    return run_schemathesis(
        url, seed=SEED, examples=examples, dictionaries=dress(shop), phases=("fuzzing",), only="createSession", **how
    )


def break_upstream(sandbox: Sandbox, shop: Shop, code: str) -> None:
    """Bring about, at the stand-in for OpenAI, what the code stands for."""
    if code == "tenant_misconfigured":
        sandbox.set_key(shop.key_text, "invalid")
    elif code == "upstream_throttled":
        sandbox.set_key(shop.key_text, "throttled", retry_after=20)
    elif code == "upstream_unavailable":
        sandbox.set_host("down")
    else:
        sandbox.fault("json_array", count=None)
