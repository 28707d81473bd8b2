"""The sandbox refuses word for word as the documented and recorded error table of OpenAI says."""

import pytest

from tests.sandbox.raw import BETA, send

WORKFLOW = "wf_1"
GOOD = {"user": "visitor-1", "workflow": {"id": WORKFLOW}}
INVALID_REQUEST = "invalid_request_error"
KEY = "test_api" + "_key" + "_123"


@pytest.fixture
def key(sandbox):
    return sandbox.add_key(KEY, workflows=[WORKFLOW])


def create(sandbox, body=GOOD, *, key=KEY, headers=BETA):
    return send(f"{sandbox.base_url}/chatkit/sessions", "POST", body, headers, key=key)


def test_no_key_is_a_401_that_asks_for_one(sandbox, key):
    answer = create(sandbox, key=None)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="OpenAI API"'
    assert answer.error == {
        "message": "Missing bearer or basic authentication in header",
        "type": INVALID_REQUEST,
        "param": None,
        "code": None,
    }


def test_a_wrong_key_is_given_back_masked(sandbox):
    answer = create(sandbox)

    assert answer.status == 401
    assert answer.error == {
        "message": "Incorrect API key provided: test_api****_123. "
        "You can find your API key at https://platform.openai.com/account/api-keys.",
        "type": INVALID_REQUEST,
        "param": None,
        "code": "invalid_api_key",
    }


@pytest.mark.parametrize("body", [b"not json", b"[]", {}, {"user": 7}], ids=str)
def test_the_key_is_judged_before_the_body_and_the_beta_header(sandbox, body):
    assert create(sandbox, body, headers={}).error["code"] == "invalid_api_key"


@pytest.mark.parametrize("headers", [{}, {"OpenAI-Beta": "assistants=v2"}, {"OpenAI-Beta": "chatkit_beta=v2"}], ids=str)
def test_the_beta_header_is_asked_for_before_the_body_is_read(sandbox, key, headers):
    answer = create(sandbox, b"not json", headers=headers)

    assert answer.status == 400
    assert answer.error == {
        "message": "You must provide the 'OpenAI-Beta' header to access the Chatkit API. "
        "Please try again by setting the header 'OpenAI-Beta: chatkit_beta=v1'.",
        "type": INVALID_REQUEST,
        "param": None,
        "code": "invalid_beta",
    }


def test_the_beta_header_may_name_several_betas(sandbox, key):
    assert create(sandbox, headers={"OpenAI-Beta": "assistants=v2, chatkit_beta=v1"}).status == 200


def test_a_workflow_of_nobody_is_a_404_without_a_code(sandbox, key):
    answer = create(sandbox, {"user": "u", "workflow": {"id": "wf_gone"}})

    assert answer.status == 404
    assert answer.error == {
        "message": "Workflow with id 'wf_gone' not found.",
        "type": INVALID_REQUEST,
        "param": None,
        "code": None,
    }


def test_a_workflow_of_another_project_is_the_same_404(sandbox, key):
    foreign = sandbox.add_key(project="proj_other", workflows=["wf_other"])

    assert create(sandbox, key=foreign).error["message"] == "Workflow with id 'wf_1' not found."
    assert create(sandbox, {"user": "u", "workflow": {"id": "wf_other"}}).status == 404


@pytest.mark.parametrize(
    ("state", "more", "status", "type_", "code", "starts"),
    [
        ("invalid", {}, 401, INVALID_REQUEST, "invalid_api_key", "Incorrect API key provided: "),
        (
            "unscoped",
            {},
            401,
            INVALID_REQUEST,
            None,
            "You have insufficient permissions for this operation. Missing scopes: ",
        ),
        ("ip_blocked", {}, 401, INVALID_REQUEST, None, "Your request IP "),
        ("not_member", {}, 401, INVALID_REQUEST, None, "You must be a member of an organization"),
        ("forbidden", {}, 403, "permission_error", None, "You are not allowed"),
        ("region_blocked", {}, 403, "request_forbidden", "unsupported_country_region_territory", "Country, region"),
        ("throttled", {}, 429, "requests", "rate_limit_exceeded", "Rate limit reached"),
        ("throttled", {"code": "slow_down"}, 429, "requests", "slow_down", "Rate limit reached"),
        *(
            ("billing", {"code": code}, 429, "insufficient_quota", code, "You exceeded your current quota")
            for code in (
                "insufficient_quota",
                "credit_balance_exhausted",
                "organization_spend_limit_exceeded",
                "project_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
                "billing_hard_limit_reached",
            )
        ),
    ],
    ids=str,
)
def test_a_key_in_a_state_is_refused_as_openai_would(sandbox, key, state, more, status, type_, code, starts):
    sandbox.set_key(key, state, **more)

    answer = create(sandbox)

    assert answer.status == status
    assert (answer.error["type"], answer.error["param"], answer.error["code"]) == (type_, None, code)
    assert answer.error["message"].startswith(starts)
    assert key.encode() not in answer.body


@pytest.mark.parametrize(("retry_after", "header"), [(7, "7"), (None, None)])
def test_a_throttled_key_is_told_when_to_come_back_if_anything_is_told(sandbox, key, retry_after, header):
    sandbox.set_key(key, "throttled", retry_after=retry_after)

    assert create(sandbox).headers.get("retry-after") == header


def test_billing_tells_no_time_to_come_back(sandbox, key):
    sandbox.set_key(key, "billing")

    assert "retry-after" not in create(sandbox).headers


def test_a_state_can_last_for_some_calls_only(sandbox, key):
    sandbox.set_key(key, "unscoped", times=2)

    assert [create(sandbox).status for _ in range(4)] == [401, 401, 200, 200]


def test_a_restricted_key_may_lack_the_models_alone(sandbox, key):
    sandbox.set_key(key, "models_unscoped")

    models = send(f"{sandbox.base_url}/models", key=key)

    assert (models.status, models.error["code"]) == (401, None)
    assert "Missing scopes: api.model.read" in models.error["message"]
    assert create(sandbox).status == 200


@pytest.mark.parametrize(
    ("status", "type_", "code", "message"),
    [
        (500, "server_error", None, "The server had an error while processing your request. Sorry about that!"),
        (503, "server_error", "server_is_overloaded", None),
        (529, "server_error", None, None),
    ],
)
def test_a_host_that_is_down_refuses_every_key(sandbox, status, type_, code, message):
    sandbox.set_host("down", status=status)

    answer = create(sandbox, key="sk-" + "anything")

    assert (answer.status, answer.error["type"], answer.error["code"]) == (status, type_, code)
    assert message is None or answer.error["message"] == message


@pytest.mark.parametrize(
    ("method", "path", "status", "message", "code"),
    [
        ("POST", "/chatkit/sessions/id/cancel", 400, "Expected an ID that begins with 'cksess'.", "invalid_value"),
        ("POST", "/chatkit/sessions/cksess_x/cancel", 404, "Chatkit Session with id 'cksess_x' not found.", None),
        ("GET", "/chatkit/threads/thread_x", 400, "Expected an ID that begins with 'cthr'.", "invalid_value"),
        ("GET", "/chatkit/threads/cthr_x", 404, "Thread with id 'cthr_x' not found.", None),
        ("DELETE", "/chatkit/threads/cthr_x", 404, "Thread with id 'cthr_x' not found.", None),
        ("GET", "/chatkit/threads/cthr_x/items", 404, "Thread with id 'cthr_x' not found.", None),
        (
            "GET",
            "/chatkit/threads?limit=101",
            400,
            "Expected a value <= 100, but got 101 instead.",
            "integer_above_max_value",
        ),
        (
            "GET",
            "/chatkit/threads?limit=-1",
            400,
            "Expected a value >= 0, but got -1 instead.",
            "integer_below_min_value",
        ),
        ("GET", "/chatkit/threads?limit=ten", 400, "Invalid type for 'limit'", "invalid_type"),
        ("GET", "/chatkit/threads?order=up", 400, "Supported values are: 'asc' and 'desc'.", "invalid_value"),
        ("GET", "/chatkit/threads?after=cthr_x", 400, "Invalid 'after'", "invalid_value"),
        ("GET", "/chatkit/threads?user=", 400, "Invalid 'user'", "invalid_value"),
        ("GET", f"/chatkit/threads?user={'u' * 513}", 400, "Invalid 'user'", "invalid_value"),
        ("GET", "/chatkit/nothing", 404, "Invalid URL (GET /v1/chatkit/nothing)", None),
        ("GET", "/chatkit/sessions", 405, "Not allowed to GET on /v1/chatkit/sessions", "method_not_supported"),
    ],
)
def test_other_calls_are_refused_in_the_same_envelope(sandbox, key, method, path, status, message, code):
    answer = send(sandbox.base_url + path, method, headers=BETA, key=key)

    assert (answer.status, answer.error["code"]) == (status, code)
    assert message in answer.error["message"]
    assert set(answer.error) == {"message", "type", "param", "code"}


def test_a_session_of_another_project_cannot_be_cancelled(sandbox, key):
    session = create(sandbox).json
    foreign = sandbox.add_key(project="proj_other")

    answer = send(f"{sandbox.base_url}/chatkit/sessions/{session['id']}/cancel", "POST", headers=BETA, key=foreign)

    assert answer.status == 404
    assert len(sandbox.live_sessions()) == 1


def test_every_answer_carries_the_recorded_headers_and_no_request_id(sandbox, key):
    for answer in (create(sandbox), create(sandbox, {})):
        assert answer.headers["openai-version"] == "2020-10-01"
        assert int(answer.headers["openai-processing-ms"]) >= 1
        assert answer.headers["cf-ray"].endswith("-SBX")
        assert "x-request-id" not in answer.headers
        assert answer.headers["content-type"].startswith("application/json")


def test_a_limit_of_none_is_legal(sandbox, key):
    answer = send(f"{sandbox.base_url}/chatkit/threads?limit=0", headers=BETA, key=key)

    assert answer.json == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
