"""From findings to verdicts, as tables: each line is a history that an operator may meet."""

from datetime import timedelta

import pytest

from chatkit_client.classify import classify
from chatkit_client.errors import ChatKitError, Reason, UpstreamUnavailable
from key_health.verdicts import PERMISSION_REPROBE, REPROBE, Decision, Finding, decide, finding_of
from tenants.models import Verdict
from tenants.models.key import CONDEMNED

UNCHECKED, HEALTHY, DEGRADED = Verdict.UNCHECKED, Verdict.HEALTHY, Verdict.DEGRADED
INVALID_KEY, MISSING_SCOPE, BILLING = Verdict.INVALID_KEY, Verdict.MISSING_SCOPE, Verdict.BILLING
WORKFLOW_MISSING, THROTTLED, DOWN = Verdict.WORKFLOW_MISSING, Verdict.THROTTLED, Verdict.UPSTREAM_DOWN

REVOKED = Finding(INVALID_KEY, Reason.INVALID_KEY)
BARE_401 = Finding(INVALID_KEY, Reason.KEY_UNAUTHORISED)


def found(verdict: Verdict) -> Finding:
    reason = {MISSING_SCOPE: Reason.MISSING_SCOPE, BILLING: Reason.BILLING, WORKFLOW_MISSING: Reason.WORKFLOW_MISSING}
    return Finding(verdict, reason.get(verdict, ""))


def after(*findings: Finding, start: Verdict = HEALTHY) -> Decision:
    decision = Decision(start, ())
    for finding in findings:
        decision = decide(decision.verdict, decision.recent, finding)
    return decision


OK, SCOPE, NO_WORKFLOW, BLOCKED = found(HEALTHY), found(MISSING_SCOPE), found(WORKFLOW_MISSING), found(BILLING)
LIMITED, OUTAGE, BROKEN, NOTHING = found(THROTTLED), found(DOWN), found(DEGRADED), Finding(UNCHECKED, "check_failed")


@pytest.mark.parametrize(
    ("start", "findings", "verdict"),
    [
        (UNCHECKED, [OK], HEALTHY),
        (HEALTHY, [REVOKED], INVALID_KEY),
        (UNCHECKED, [REVOKED], INVALID_KEY),
        (WORKFLOW_MISSING, [REVOKED], INVALID_KEY),
        # Two of the last three.
        (HEALTHY, [BARE_401], DEGRADED),
        (HEALTHY, [BARE_401, BARE_401], INVALID_KEY),
        (HEALTHY, [SCOPE], DEGRADED),
        (HEALTHY, [SCOPE, SCOPE], MISSING_SCOPE),
        (HEALTHY, [SCOPE, OK], HEALTHY),
        (HEALTHY, [SCOPE, OK, SCOPE], MISSING_SCOPE),
        (HEALTHY, [SCOPE, OK, OK, SCOPE], DEGRADED),
        (HEALTHY, [NO_WORKFLOW], DEGRADED),
        (HEALTHY, [NO_WORKFLOW, NO_WORKFLOW], WORKFLOW_MISSING),
        (HEALTHY, [BLOCKED], DEGRADED),
        (HEALTHY, [BLOCKED, BLOCKED], BILLING),
        (HEALTHY, [SCOPE, BLOCKED], DEGRADED),
        (HEALTHY, [SCOPE, BLOCKED, BLOCKED], BILLING),
        (UNCHECKED, [NO_WORKFLOW], DEGRADED),
        # Outages and our own failures say nothing of a key, however many there are.
        (HEALTHY, [OUTAGE] * 20, HEALTHY),
        (INVALID_KEY, [OUTAGE] * 20, INVALID_KEY),
        (DEGRADED, [OUTAGE], DEGRADED),
        (UNCHECKED, [OUTAGE], DOWN),
        (DOWN, [NOTHING], DOWN),
        (HEALTHY, [NOTHING] * 3, HEALTHY),
        (HEALTHY, [SCOPE, OUTAGE, OUTAGE, OUTAGE, SCOPE], MISSING_SCOPE),
        # Throttling is said, and never condemns.
        (HEALTHY, [LIMITED], HEALTHY),
        (HEALTHY, [LIMITED, LIMITED], THROTTLED),
        (UNCHECKED, [LIMITED], THROTTLED),
        (BILLING, [LIMITED] * 5, BILLING),
        (THROTTLED, [OK], HEALTHY),
        # Our own side, or the region.
        (HEALTHY, [BROKEN], DEGRADED),
        (MISSING_SCOPE, [BROKEN] * 5, MISSING_SCOPE),
        # Recovery at once, from anything.
        *[(condemned, [OK], HEALTHY) for condemned in sorted(CONDEMNED)],
        # A condemned key that fails in another way stays condemned until that is certain.
        (INVALID_KEY, [SCOPE], INVALID_KEY),
        (INVALID_KEY, [SCOPE, SCOPE], MISSING_SCOPE),
        (MISSING_SCOPE, [SCOPE], MISSING_SCOPE),
    ],
)
def test_a_history_leads_to_a_verdict(start: Verdict, findings: list[Finding], verdict: Verdict) -> None:
    assert after(*findings, start=start).verdict == verdict


@pytest.mark.parametrize(
    ("findings", "again_after"),
    [
        ([OK], None),
        ([REVOKED], None),
        ([BARE_401], REPROBE),
        ([NO_WORKFLOW], REPROBE),
        ([BLOCKED], REPROBE),
        ([LIMITED], REPROBE),
        ([SCOPE], PERMISSION_REPROBE),
        ([SCOPE, SCOPE], None),
        ([NO_WORKFLOW, NO_WORKFLOW], None),
        ([OUTAGE], None),
    ],
)
def test_a_suspicion_is_looked_at_again_soon(findings: list[Finding], again_after: timedelta | None) -> None:
    assert after(*findings).again_after == again_after


def answered(
    status: int, message: str, *, kind: str = "invalid_request_error", code: str | None = None
) -> ChatKitError:
    import json

    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()
    return classify(status, {"content-type": "application/json"}, body)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (answered(401, "Incorrect API key provided", code="invalid_api_key"), INVALID_KEY),
        (answered(401, "You have insufficient permissions. Missing scopes: api.chatkit.write"), MISSING_SCOPE),
        (answered(401, "Your IP is not authorized"), INVALID_KEY),
        (answered(404, "Workflow with id 'wf_1' not found."), WORKFLOW_MISSING),
        (answered(429, "You exceeded your quota", kind="insufficient_quota", code="insufficient_quota"), BILLING),
        (answered(429, "Slow down", code="rate_limit_exceeded"), THROTTLED),
        (answered(400, "Invalid type for 'workflow'", code="invalid_type"), DEGRADED),
        (answered(403, "Unsupported region", code="unsupported_country_region_territory"), DEGRADED),
        (answered(500, "The server had an error"), DOWN),
        (answered(503, "Overloaded"), DOWN),
        (UpstreamUnavailable(Reason.DEADLINE), DOWN),
        (UpstreamUnavailable(Reason.TLS_FAILED), DOWN),
    ],
)
def test_an_answer_is_a_finding(error: ChatKitError, verdict: Verdict) -> None:
    assert finding_of(error).verdict == verdict


@pytest.mark.parametrize("word", ["credit", "balance", "billing", "quota", "invalid_api_key", "incorrect api key"])
@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
def test_a_message_that_merely_contains_a_word_condemns_nothing(status: int, word: str) -> None:
    finding = finding_of(answered(status, f"Please check your {word} settings"))

    decision = after(finding, finding, finding)

    assert decision.verdict not in CONDEMNED


def test_every_reason_of_the_edge_is_a_finding_and_only_those_of_the_tenant_condemn() -> None:
    condemning = {reason for reason in Reason if finding_of(ChatKitError(reason)).verdict in CONDEMNED}

    assert condemning == {
        Reason.INVALID_KEY,
        Reason.KEY_UNAUTHORISED,
        Reason.MISSING_SCOPE,
        Reason.WORKFLOW_MISSING,
        Reason.MODEL_MISSING,
        Reason.BILLING,
    }
