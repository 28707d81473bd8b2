import pytest

from chatkit_client import calls
from chatkit_client.calls import SessionSettings


def test_a_session_call_carries_every_setting_in_openais_names():
    settings = SessionSettings(
        workflow_id="wf_1",
        workflow_version="3",
        expires_after=60,
        max_requests_per_minute=4,
        history_enabled=True,
        recent_threads=20,
        file_upload_enabled=True,
        max_files=2,
        max_file_size_mb=5,
        automatic_titles=False,
        tracing=False,
        state_variables={"plan": "pro"},
    )

    call = calls.create_session(user="u", settings=settings)

    assert (call.method, call.path, call.beta) == ("POST", "/chatkit/sessions", True)
    assert call.body == {
        "user": "u",
        "workflow": {
            "id": "wf_1",
            "version": "3",
            "state_variables": {"plan": "pro"},
            "tracing": {"enabled": False},
        },
        "expires_after": {"anchor": "created_at", "seconds": 60},
        "rate_limits": {"max_requests_per_1_minute": 4},
        "chatkit_configuration": {
            "automatic_thread_titling": {"enabled": False},
            "file_upload": {"enabled": True, "max_files": 2, "max_file_size": 5},
            "history": {"enabled": True, "recent_threads": 20},
        },
    }


def test_what_is_not_chosen_is_left_to_openai():
    call = calls.create_session(user="u", settings=SessionSettings(workflow_id="wf_1", history_enabled=False))

    assert set(call.body["workflow"]) == {"id", "tracing"}
    assert call.body["chatkit_configuration"]["history"] == {"enabled": False}
    assert call.body["chatkit_configuration"]["file_upload"] == {"enabled": False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"workflow_id": " "},
        {"workflow_version": "latest"},
        {"workflow_version": "Latest"},
        {"workflow_version": ""},
        {"expires_after": 0},
        {"expires_after": 601},
        {"max_requests_per_minute": 0},
        {"recent_threads": 0},
        {"max_files": 0},
        {"max_file_size_mb": 513},
        {"state_variables": {str(number): 1 for number in range(65)}},
        {"state_variables": {"n" * 65: 1}},
        {"state_variables": {"n": float("nan")}},
    ],
)
def test_settings_that_openai_would_refuse_are_refused_when_made(wrong):
    with pytest.raises(ValueError, match=r"must|is empty|more than"):
        SessionSettings(**{"workflow_id": "wf_1"} | wrong)


@pytest.mark.parametrize("user", ["", "u" * 513])
def test_a_user_outside_the_limits_is_refused(user):
    with pytest.raises(ValueError, match="user"):
        calls.create_session(user=user, settings=SessionSettings(workflow_id="wf_1"))


@pytest.mark.parametrize(
    "hostile",
    ["", "cksess_", "cksess_../threads", "cksess_a/b", "cksess_a?x=1", "cksess_a\r\nX: y", "cksess_a%2f", "x"],
)
def test_no_id_can_change_the_path(hostile):
    with pytest.raises(ValueError, match="cksess_"):
        calls.cancel_session(hostile)
    with pytest.raises(ValueError, match="cthr_"):
        calls.delete_thread(hostile.replace("cksess", "cthr"))
    with pytest.raises(ValueError, match="cthr_"):
        calls.list_threads(after=hostile.replace("cksess", "cthr"))


def test_a_user_with_reserved_characters_stays_one_query_value():
    call = calls.list_threads(user="a&limit=100#/../é", limit=5, after="cthr_1", order="asc")

    expected = "/chatkit/threads?limit=5&order=asc&after=cthr_1&user=a%26limit%3D100%23%2F..%2F%C3%A9"
    assert call.path == expected
    assert (call.method, call.body) == ("GET", None)


def test_a_probe_reads_one_thread_of_nobody():
    call = calls.read_probe()

    assert call.path == f"/chatkit/threads?limit=1&order=desc&user={calls.PROBE_USER}"


def test_a_cancellation_and_a_deletion_have_no_body():
    assert calls.cancel_session("cksess_1") == calls.Call("POST", "/chatkit/sessions/cksess_1/cancel")
    assert calls.delete_thread("cthr_1") == calls.Call("DELETE", "/chatkit/threads/cthr_1")


def test_the_probe_of_a_model_is_one_word_a_short_answer_and_nothing_kept():
    looked_up, run = calls.show_model("ft:gpt-4o/mini:acme"), calls.shortest_answer("gpt-5-mini")

    assert (looked_up.method, looked_up.path, looked_up.beta) == ("GET", "/models/ft:gpt-4o%2Fmini:acme", False)
    assert (run.method, run.path, run.beta) == ("POST", "/responses", False)
    assert run.body == {"model": "gpt-5-mini", "input": "Hello", "max_output_tokens": 16, "store": False}


@pytest.mark.parametrize("name", ["", "a b", "a?b", "../keys", "m\r\n", "x" * 101, "é"])
def test_no_name_of_a_model_can_change_the_path(name):
    for call in (calls.show_model, calls.shortest_answer):
        with pytest.raises(ValueError, match="model's name"):
            call(name)
