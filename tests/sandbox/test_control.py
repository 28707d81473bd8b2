"""The control API: what it changes, what it tells, and whom it answers."""

import http.client
import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.keys import fingerprint_of
from sandbox.testing import ControlError, Sandbox, running_sandbox
from sandbox.world import World
from tests.sandbox.raw import BETA, send

ROOT = Path(__file__).parents[2]
OPEN_KEY = "sk-" + "sandbox-" + "demo" * 5


def create(sandbox, key, *, workflow="wf_sandbox_shop", user="ann"):
    body = {"user": user, "workflow": {"id": workflow}}
    return send(f"{sandbox.base_url}/chatkit/sessions", "POST", body, BETA, key=key)


def test_a_key_of_the_open_prefix_is_valid_at_first_sight(sandbox):
    assert create(sandbox, OPEN_KEY).status == 200

    [key] = sandbox.state()["keys"]
    assert (key["project"], key["state"]) == ("proj_sandbox", "valid")


def test_the_open_prefix_opens_workflows_of_its_own_prefix_only(sandbox):
    assert create(sandbox, OPEN_KEY, workflow="wf_real").status == 404


def test_under_the_strict_policy_no_unregistered_key_is_valid(sandbox):
    sandbox.set_policy("invalid")

    assert create(sandbox, OPEN_KEY).error["code"] == "invalid_api_key"


def test_an_open_workflow_can_be_made_missing_and_come_back(sandbox):
    sandbox.set_workflow("wf_sandbox_shop", exists=False)
    gone = create(sandbox, OPEN_KEY).status
    sandbox.set_workflow("wf_sandbox_shop", exists=True)

    assert (gone, create(sandbox, OPEN_KEY).status) == (404, 200)


def test_the_journal_tells_what_arrived_and_never_the_key(sandbox):
    create(sandbox, OPEN_KEY, user="v1.tn_x.abc")

    [call] = sandbox.creates()
    assert (call["method"], call["path"], call["status"]) == ("POST", "/v1/chatkit/sessions", 200)
    assert (call["user"], call["workflow"]) == ("v1.tn_x.abc", "wf_sandbox_shop")
    assert call["body"] == {"user": "v1.tn_x.abc", "workflow": {"id": "wf_sandbox_shop"}}
    assert call["headers"]["openai-beta"] == "chatkit_beta=v1"
    assert call["key"] == fingerprint_of(OPEN_KEY)
    assert "authorization" in call["header_names"]
    assert OPEN_KEY not in json.dumps([sandbox.calls(), sandbox.state()])


def test_the_journal_can_be_asked_for_some_calls(sandbox):
    create(sandbox, OPEN_KEY, user="ann")
    create(sandbox, OPEN_KEY, user="bob smith")
    create(sandbox, "sk-" + "wrong", user="ann")

    assert [call["user"] for call in sandbox.calls(user="bob smith")] == ["bob smith"]
    assert [call["seq"] for call in sandbox.calls(status=401)] == [3]
    assert [call["seq"] for call in sandbox.calls(since=1, key=fingerprint_of(OPEN_KEY))] == [2]
    assert [call["seq"] for call in sandbox.calls(limit=1)] == [3]
    assert sandbox.counters() == {
        "total": 3,
        "by_route": {"POST /v1/chatkit/sessions 200": 2, "POST /v1/chatkit/sessions 401": 1},
    }


def test_calls_of_the_control_api_are_not_in_the_journal(sandbox):
    sandbox.state()
    send(f"{sandbox.url}/livez")

    assert sandbox.calls() == []


def test_live_sessions_are_told_without_their_secrets(sandbox):
    session = create(sandbox, OPEN_KEY).json

    [live] = sandbox.live_sessions()

    assert (live["id"], live["client_secret"]) == (session["id"], "")


def test_a_slow_host_answers_late(sandbox):
    sandbox.set_host("slow", delay_ms=150)

    started = time.monotonic()
    assert create(sandbox, OPEN_KEY).status == 200
    assert time.monotonic() - started >= 0.15


def test_a_dripping_host_takes_its_time_over_a_good_answer(sandbox):
    sandbox.set_host("dripping", interval_ms=1)

    started = time.monotonic()
    answer = create(sandbox, OPEN_KEY)

    assert answer.json["object"] == "chatkit.session"
    assert time.monotonic() - started >= len(answer.body) / 1000


def test_a_hanging_host_lets_go_when_it_is_up_again(sandbox):
    sandbox.set_host("hang")
    parts = urlsplit(sandbox.base_url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
    connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {OPEN_KEY}"})
    while not sandbox.calls():
        time.sleep(0.01)

    sandbox.set_host("up")

    with pytest.raises(ConnectionError):
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize(
    ("path", "body", "cure"),
    [
        ("keys", {}, "say which key"),
        ("keys/state", {"key": "sk-" + "never-seen", "state": "valid"}, "register it first"),
        ("host", {"mode": "asleep"}, "mode: one of up, down, slow"),
        ("host", {"mode": "down", "status": 200}, "500 to 599"),
        ("fault", {"kind": "gremlin"}, "GET /control/faults"),
        ("latency", {"ms": "a while"}, "ms: a whole number"),
        ("policy", {"unknown_keys": "maybe"}, "one of prefix, invalid"),
        ("workflows", {"id": "wf_1"}, "whether it exists"),
    ],
)
def test_a_call_that_means_nothing_is_refused_with_the_cure(sandbox, path, body, cure):
    with pytest.raises(ControlError, match=cure):
        sandbox.control("POST", path, body)


def test_an_unknown_key_state_or_code_is_refused_and_changes_nothing(sandbox):
    key = sandbox.add_key()

    with pytest.raises(ControlError, match="state: one of valid, invalid"):
        sandbox.set_key(key, "tired")
    with pytest.raises(ControlError, match="code: one of insufficient_quota"):
        sandbox.set_key(key, "billing", code="broke")
    assert sandbox.state()["keys"][0]["state"] == "valid"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
    ids=str,
)
def test_no_web_page_reaches_the_control_api(sandbox, headers, status):
    assert send(f"{sandbox.url}/control/reset", "POST", {}, headers).status == status


def test_a_reset_forgets_everything(sandbox):
    create(sandbox, OPEN_KEY)
    sandbox.set_host("down")
    sandbox.fault("html_200", count=None)

    sandbox.reset()

    state = sandbox.state()
    assert (state["keys"], state["projects"], state["faults"], state["calls"]) == ([], [], [], 0)
    assert state["host"]["mode"] == "up"


def test_the_page_of_switches_is_served_under_a_strict_policy(sandbox):
    for path in ("/", "/control/", "/control/page.js", "/control/page.css", "/control/icon.svg"):
        answer = send(sandbox.url + path)
        assert answer.status == 200
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert send(f"{sandbox.url}/control/app.py").status == 404


def test_what_was_kept_in_the_file_is_there_again_and_the_file_opens_no_door(tmp_path):
    path = tmp_path / "var" / "sandbox.json"
    with running_sandbox(world=World(path)) as sandbox:
        key = sandbox.add_key(workflows=["wf_1"])
        sandbox.set_key(key, "throttled", times=1)
        create(sandbox, key, workflow="wf_1")
        secret = create(sandbox, key, workflow="wf_1").json["client_secret"]
        sandbox.say(secret, "hello")
    kept = path.read_text()

    with running_sandbox(world=World(path)) as sandbox:
        assert create(sandbox, key, workflow="wf_1").status == 200
        assert [thread["title"] for thread in sandbox.threads()] == ["hello"]
        assert sandbox.converse(secret, "threads.list", {})[0] == 200

    assert key not in kept
    assert secret not in kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_none_of_ours_stops_the_start_with_the_cure(tmp_path):
    path = tmp_path / "sandbox.json"
    path.write_text("{}")

    with pytest.raises(SystemExit, match="Delete it to start with an empty sandbox"):
        World(path)


def start(*arguments):
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_command_serves_until_it_is_told_to_stop(tmp_path):
    with running_sandbox() as other:
        free = urlsplit(other.url).port
    process = start("--port", str(free), "--state", str(tmp_path / "state.json"))
    try:
        assert f"http://127.0.0.1:{free}/v1" in process.stdout.readline()
        sandbox = Sandbox(f"http://127.0.0.1:{free}")
        assert create(sandbox, OPEN_KEY).status == 200
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")
    assert (tmp_path / "state.json").exists()


def test_a_busy_port_is_told_with_the_cure(sandbox):
    process = start("--port", str(urlsplit(sandbox.url).port))

    _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "Choose another with --port." in errors
    assert "Traceback" not in errors
