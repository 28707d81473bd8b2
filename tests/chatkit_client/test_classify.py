import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chatkit_client import errors
from chatkit_client.classify import BILLING_CODES, classify, parse_retry_after
from chatkit_client.errors import ChatKitError, Reason


def envelope(message="No.", code=None, kind="invalid_request_error"):
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


SCOPES = "You have insufficient permissions for this operation. Missing scopes: api.chatkit.write."
HTML = b"<html><h1>Forbidden</h1></html>"
TABLE = [
    (401, envelope("Incorrect API key provided", "invalid_api_key"), errors.KeyRejected, Reason.INVALID_KEY),
    (401, envelope(SCOPES), errors.KeyRejected, Reason.MISSING_SCOPE),
    (401, envelope(SCOPES, "invalid_api_key"), errors.KeyRejected, Reason.INVALID_KEY),
    (401, envelope("Your IP is not authorised."), errors.KeyRejected, Reason.KEY_UNAUTHORISED),
    (401, envelope("Incorrect API key provided"), errors.KeyRejected, Reason.KEY_UNAUTHORISED),
    (401, HTML, errors.KeyRejected, Reason.KEY_UNAUTHORISED),
    (403, envelope(code="unsupported_country_region_territory"), errors.RegionBlocked, Reason.REGION_BLOCKED),
    (403, envelope(kind="request_forbidden"), errors.RegionBlocked, Reason.REGION_BLOCKED),
    (403, envelope(kind="permission_error"), errors.KeyRejected, Reason.KEY_UNAUTHORISED),
    (403, envelope(code="model_not_allowed"), errors.KeyRejected, Reason.KEY_UNAUTHORISED),
    (403, envelope(SCOPES), errors.KeyRejected, Reason.MISSING_SCOPE),
    (403, HTML, errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS),
    (451, envelope(), errors.RegionBlocked, Reason.REGION_BLOCKED),
    (404, envelope("Workflow with id 'wf_1' not found."), errors.WorkflowMissing, Reason.WORKFLOW_MISSING),
    (404, envelope("Invalid URL (POST /v1/chatkit/sessions)"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (404, HTML, errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS),
    (404, b"Workflow with id", errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS),
    (400, envelope("You must provide the header", "invalid_beta"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (400, envelope("Missing 'user'.", "missing_required_parameter"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (400, envelope("Missing 'workflow'.", "missing_required_parameter"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (400, envelope("Invalid type for 'workflow'", "invalid_type"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (400, envelope("Workflow with id 'x' is bad"), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (400, HTML, errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS),
    (402, envelope(), errors.BillingBlocked, Reason.BILLING),
    (408, HTML, errors.UpstreamUnavailable, Reason.SERVER_ERROR),
    (409, envelope(), errors.UpstreamUnavailable, Reason.SERVER_ERROR),
    (410, envelope(), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (413, envelope(), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (422, envelope(), errors.RequestRefused, Reason.REQUEST_REFUSED),
    (429, envelope(code="rate_limit_exceeded", kind="requests"), errors.Throttled, Reason.THROTTLED),
    (429, envelope(code="slow_down"), errors.Throttled, Reason.THROTTLED),
    (429, envelope("You exceeded your current quota"), errors.Throttled, Reason.THROTTLED),
    (429, HTML, errors.Throttled, Reason.THROTTLED),
    (429, envelope(kind="insufficient_quota"), errors.BillingBlocked, Reason.BILLING),
    *[(429, envelope(code=code), errors.BillingBlocked, Reason.BILLING) for code in sorted(BILLING_CODES)],
    *[
        (code, HTML, errors.UpstreamUnavailable, Reason.SERVER_ERROR)
        for code in (500, 501, 502, 503, 504, 520, 529, 599)
    ],
    (500, envelope("The server had an error", kind="server_error"), errors.UpstreamUnavailable, Reason.SERVER_ERROR),
    *[(code, b"", errors.UpstreamInvalid, Reason.REDIRECTED) for code in (300, 301, 302, 303, 304, 307, 308)],
    *[(code, b"{}", errors.UpstreamInvalid, Reason.UNEXPECTED_STATUS) for code in (101, 201, 202, 204, 206, 600, 999)],
]


@pytest.mark.proof("U5")
@pytest.mark.parametrize(("status", "body", "kind", "reason"), TABLE)
def test_an_answer_means_this_error(status, body, kind, reason):
    error = classify(status, {}, body, request_id="req_1", latency_ms=3)

    assert type(error) is kind
    assert (error.reason, error.status, error.request_id, error.latency_ms) == (reason, status, "req_1", 3)


@pytest.mark.proof("U5")
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'{"error": null}', b'{"error": "x"}', b"\xff", b"[" * 50_000, b'{"error": ' + b"9" * 5000],
)
def test_a_body_in_another_shape_leaves_the_status_to_decide(body):
    assert classify(401, {}, body).reason is Reason.KEY_UNAUTHORISED
    assert classify(400, {}, body).reason is Reason.UNEXPECTED_STATUS
    assert classify(503, {}, body).reason is Reason.SERVER_ERROR


@pytest.mark.parametrize("code", ["A", "a-b", "a b", "é", "a" * 65, "a\n", "", 5, [], {"a": 1}])
def test_a_code_that_is_no_identifier_is_not_kept(code):
    assert classify(400, {}, envelope(code=code)).code is None


def test_a_code_that_is_an_identifier_is_kept_and_the_message_is_not():
    error = classify(400, {}, envelope("Tell nobody", "http2.weird_error"))

    assert error.code == "http2.weird_error"
    assert "Tell nobody" not in f"{error} {error!r} {error.args} {vars(error)}"


@pytest.mark.proof("U5")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("x" * 10_000, None),
        ("9" * 64, None),
        ("\ud800", None),
        ("Wed, 99 Foo 2026 99:99:99 GMT", None),
        ("Wed, 01 Jan 99999 00:00:00 GMT", None),
        ("30", 30),
        (" 30 ", 30),
        ("1.5", 1),
        ("0", 1),
        ("-5", 1),
        ("301", 300),
        ("999999999999999999", 300),
    ],
)
def test_retry_after_is_read_and_clamped(text, seconds):
    assert parse_retry_after(text) == seconds


@pytest.mark.proof("U5")
@pytest.mark.parametrize(("ahead", "seconds"), [(45, 45), (-3600, 1), (86_400, 300)])
def test_retry_after_as_a_date_counts_from_now(ahead, seconds):
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    text = format_datetime(now + timedelta(seconds=ahead), usegmt=True)

    assert parse_retry_after(text, now=now.timestamp()) == seconds


def test_retry_after_comes_with_a_throttle_and_with_an_outage():
    assert classify(429, {"retry-after": "7"}, b"").retry_after == 7
    assert classify(503, {"retry-after": "9"}, b"").retry_after == 9


def test_every_reason_has_a_sentence_and_a_place_in_the_tree():
    for reason in Reason:
        assert len(str(ChatKitError(reason))) > 40
    named = [name for name in Reason if name.value in errors.__doc__]
    assert named == list(Reason)


def test_only_what_somebody_must_change_is_permanent():
    permanent = {kind.__name__ for kind in ChatKitError.__subclasses__() if kind.permanent}

    assert permanent == {
        "KeyRejected",
        "WorkflowMissing",
        "ModelMissing",
        "BillingBlocked",
        "RegionBlocked",
        "RequestRefused",
    }
