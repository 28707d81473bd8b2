"""A body that breaks the published schema is refused with the field's name, and no session is made."""

import pytest

from tests.sandbox.raw import BETA, send

WORKFLOW = "wf_1"
GOOD = {"user": "visitor-1", "workflow": {"id": WORKFLOW}}


def with_(**changes):
    return {**GOOD, **changes}


def flow(**changes):
    return {**GOOD, "workflow": {"id": WORKFLOW, **changes}}


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        ({}, "workflow", "missing_required_parameter", "Missing required parameter: 'workflow'."),
        ({"user": "u"}, "workflow", "missing_required_parameter", "Missing required parameter: 'workflow'."),
        ({"workflow": {"id": WORKFLOW}}, "user", "missing_required_parameter", "Missing required parameter: 'user'."),
        (with_(workflow={}), "workflow.id", "missing_required_parameter", "Missing required parameter: 'workflow.id'."),
        (
            with_(workflow=WORKFLOW),
            "workflow",
            "invalid_type",
            "Invalid type for 'workflow': expected an object, but got a string instead.",
        ),
        (with_(user=7), "user", "invalid_type", None),
        (with_(user=""), "user", "empty_string", None),
        (flow(id=7), "workflow.id", "invalid_type", None),
        (flow(version=3), "workflow.version", "invalid_type", None),
        (flow(tracing=True), "workflow.tracing", "invalid_type", None),
        (flow(state_variables=[]), "workflow.state_variables", "invalid_type", None),
        (flow(state_variables={"a": None}), "workflow.state_variables.a", "invalid_type", None),
        (flow(state_variables={"a": {}}), "workflow.state_variables.a", "invalid_type", None),
        (flow(state_variables={"k" * 65: 1}), "workflow.state_variables", "invalid_value", None),
        (flow(state_variables={str(n): n for n in range(65)}), "workflow.state_variables", "invalid_value", None),
        (with_(expires_after={"seconds": 60}), "expires_after.anchor", "missing_required_parameter", None),
        (with_(expires_after={"anchor": "created_at"}), "expires_after.seconds", "missing_required_parameter", None),
        (
            with_(expires_after={"anchor": "last_active_at", "seconds": 60}),
            "expires_after.anchor",
            "invalid_value",
            None,
        ),
        (
            with_(expires_after={"anchor": "created_at", "seconds": 601}),
            "expires_after.seconds",
            "integer_above_max_value",
            None,
        ),
        (
            with_(expires_after={"anchor": "created_at", "seconds": 0}),
            "expires_after.seconds",
            "integer_below_min_value",
            None,
        ),
        (with_(expires_after=600), "expires_after", "invalid_type", None),
        (
            with_(rate_limits={"max_requests_per_1_minute": 0}),
            "rate_limits.max_requests_per_1_minute",
            "integer_below_min_value",
            None,
        ),
        (
            with_(rate_limits={"max_requests_per_1_minute": True}),
            "rate_limits.max_requests_per_1_minute",
            "invalid_type",
            None,
        ),
        (
            with_(chatkit_configuration={"file_upload": {"max_file_size": 513}}),
            "chatkit_configuration.file_upload.max_file_size",
            "integer_above_max_value",
            None,
        ),
        (
            with_(chatkit_configuration={"history": {"recent_threads": 0}}),
            "chatkit_configuration.history.recent_threads",
            "integer_below_min_value",
            None,
        ),
        (with_(scope={}), "scope", "unknown_parameter", "Unknown parameter: 'scope'."),
        (b"not json", None, None, None),
        (b"[1]", None, None, None),
        (b"", None, None, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_body_that_breaks_the_schema_is_a_400_that_names_the_field(sandbox, body, param, code, message):
    key = sandbox.add_key(workflows=[WORKFLOW])

    answer = send(f"{sandbox.base_url}/chatkit/sessions", "POST", body, BETA, key=key)

    assert answer.status == 400
    assert (answer.error["type"], answer.error["param"], answer.error["code"]) == ("invalid_request_error", param, code)
    assert message is None or answer.error["message"] == message
    assert sandbox.live_sessions() == []
