"""The closed vocabulary of the public door."""

import json

import pytest

from gateway.errors import Code, PublicError, error_response

# As the documentation of the public endpoints promises.
STATUSES = {
    "tenant_unknown": 404,
    "origin_missing": 403,
    "origin_null": 403,
    "origin_malformed": 403,
    "origin_not_allowed": 403,
    "method_not_allowed": 405,
    "content_type_invalid": 415,
    "body_invalid": 400,
    "body_too_large": 413,
    "assistant_unknown": 404,
    "integration_outdated": 409,
    "identity_required": 401,
    "identity_invalid": 401,
    "token_invalid": 401,
    "rate_limited": 429,
    "quota_exceeded": 429,
    "tenant_misconfigured": 503,
    "busy": 503,
    "upstream_throttled": 503,
    "upstream_unavailable": 503,
    "upstream_invalid": 502,
    "platform_unavailable": 503,
    "internal_error": 500,
    "not_found": 404,
    "host_invalid": 400,
    "https_required": 403,
}
WAITING_HELPS = {
    *("rate_limited", "quota_exceeded", "busy", "upstream_throttled"),
    *("upstream_unavailable", "upstream_invalid", "platform_unavailable"),
}


def test_every_code_has_its_status() -> None:
    assert {code.value: PublicError(code).status for code in Code} == STATUSES


@pytest.mark.parametrize("code", Code)
def test_an_error_is_one_shape_with_a_sentence_and_no_reason(code: Code) -> None:
    error = PublicError(code, reason="for the operator alone")

    response = error_response(error, request_id="r1")

    body = json.loads(response.content)
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "request_id", "retry_after"}
    assert body["error"]["request_id"] == "r1"
    assert body["error"]["message"].endswith(".")
    assert "operator alone" not in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert (body["error"]["retry_after"] is not None) is (code.value in WAITING_HELPS)
    assert response.get("Retry-After") == (str(error.retry_after) if error.retry_after else None)


@pytest.mark.parametrize(("asked", "told"), [(0.2, 1), (1.0, 1), (1.1, 2), (59.5, 60)])
def test_a_wait_is_told_in_whole_seconds_rounded_up(asked: float, told: int) -> None:
    assert PublicError(Code.RATE_LIMITED, retry_after=asked).retry_after == told
