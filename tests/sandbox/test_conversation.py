"""The channel of the web component: who may speak, what is answered, what a browser of any origin is let in for."""

import json

import pytest

from sandbox.conversation import reply_to
from tests.sandbox.raw import BETA, send

WORKFLOW = "wf_1"
PAGE = "https://shop.example"


@pytest.fixture
def key(sandbox):
    return sandbox.add_key(workflows=[WORKFLOW])


def open_session(sandbox, key, *, user="ann", workflow=None, **more):
    body = {"user": user, "workflow": {"id": WORKFLOW, **(workflow or {})}, **more}
    return send(f"{sandbox.base_url}/chatkit/sessions", "POST", body, BETA, key=key).json


@pytest.fixture
def secret(sandbox, key):
    return open_session(sandbox, key)["client_secret"]


def kinds(events):
    return [event["type"] for event in events]


def test_a_first_message_makes_a_thread_and_streams_the_answer(sandbox, secret):
    events = sandbox.say(secret, "Do you ship to Malta?")

    told = list(dict.fromkeys(kinds(events)))
    assert told == [
        "thread.created",
        "stream_options",
        "thread.item.done",
        "thread.item.added",
        "thread.item.updated",
        "thread.updated",
    ]
    done = [event["item"] for event in events if event["type"] == "thread.item.done"]
    assert [item["type"] for item in done] == ["user_message", "assistant_message"]
    assert done[1]["content"][0]["text"] == reply_to("Do you ship to Malta?")
    updates = [event["update"] for event in events if event["type"] == "thread.item.updated"]
    assert "".join(update.get("delta", "") for update in updates) == done[1]["content"][0]["text"]
    assert events[-1]["thread"]["title"] == "Do you ship to Malta?"


def test_a_second_message_goes_on_in_the_thread(sandbox, secret):
    thread_id = sandbox.say(secret, "one")[0]["thread"]["id"]

    events = sandbox.say(secret, "two", thread_id=thread_id)

    assert "thread.created" not in kinds(events)
    _, raw = sandbox.converse(secret, "items.list", {"thread_id": thread_id, "order": "asc"})
    items = json.loads(raw)["data"]
    assert [item["content"][0]["text"] for item in items] == ["one", reply_to("one"), "two", reply_to("two")]


def test_history_follows_the_user_through_sessions_and_stays_with_the_user(sandbox, key, secret):
    sandbox.say(secret, "hello")
    again = open_session(sandbox, key)["client_secret"]
    other = open_session(sandbox, key, user="bob")["client_secret"]

    _, mine = sandbox.converse(again, "threads.list", {"limit": 9})
    _, theirs = sandbox.converse(other, "threads.list", {})

    [thread] = json.loads(mine)["data"]
    assert thread["title"] == "hello"
    assert json.loads(theirs)["data"] == []
    assert sandbox.converse(other, "threads.get_by_id", {"thread_id": thread["id"]})[0] == 404
    assert sandbox.converse(other, "threads.delete", {"thread_id": thread["id"]})[0] == 404
    shown = json.loads(sandbox.converse(again, "threads.get_by_id", {"thread_id": thread["id"]})[1])
    assert len(shown["items"]["data"]) == 2


def test_the_same_user_of_another_project_has_another_history(sandbox, secret):
    sandbox.say(secret, "hello")
    foreign = sandbox.add_key(project="proj_other", workflows=[WORKFLOW])

    elsewhere = open_session(sandbox, foreign)["client_secret"]

    assert json.loads(sandbox.converse(elsewhere, "threads.list", {})[1])["data"] == []


def test_history_is_as_long_as_the_session_says(sandbox, key, secret):
    for number in range(3):
        sandbox.say(secret, f"message {number}")

    def titles(history):
        session = open_session(sandbox, key, chatkit_configuration={"history": history})
        rows = json.loads(sandbox.converse(session["client_secret"], "threads.list", {})[1])["data"]
        return [row["title"] for row in rows]

    assert titles({"enabled": False}) == []
    assert titles({"recent_threads": 2}) == ["message 2", "message 1"]


@pytest.mark.parametrize("end", ["expired", "cancelled", "unknown", "key"])
def test_only_a_live_client_secret_is_let_in(sandbox, key, secret, end):
    if end == "expired":
        sandbox.expire_sessions()
    if end == "cancelled":
        [session] = sandbox.live_sessions()
        send(f"{sandbox.base_url}/chatkit/sessions/{session['id']}/cancel", "POST", headers=BETA, key=key)
    presented = {"unknown": "ek_sandbox_9999999999_00", "key": key}.get(end, secret)

    status, raw = sandbox.converse(presented, "threads.list", {})

    assert (status, json.loads(raw)["error"]["code"]) == (401, "invalid_client_secret")


def test_messages_beyond_the_sessions_limit_wait(sandbox, key):
    session = open_session(sandbox, key, rate_limits={"max_requests_per_1_minute": 2})
    secret = session["client_secret"]
    sandbox.say(secret, "one")
    sandbox.say(secret, "two")

    message = {"input": {"content": [{"type": "input_text", "text": "three"}]}}
    answer = send(
        f"{sandbox.base_url}/chatkit/conversation",
        "POST",
        {"type": "threads.create", "params": message},
        {"Origin": PAGE},
        key=secret,
    )

    assert (answer.status, answer.error["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert sandbox.converse(secret, "threads.list", {})[0] == 200


@pytest.mark.parametrize("spoil", ["version", "workflow"])
def test_a_workflow_that_cannot_run_fails_at_the_first_message_and_not_before(sandbox, key, spoil):
    session = open_session(sandbox, key, workflow={"version": "latest"} if spoil == "version" else None)
    if spoil == "workflow":
        sandbox.set_workflow(WORKFLOW, exists=False)

    events = sandbox.say(session["client_secret"], "hello")

    assert events[-1]["type"] == "error"
    assert events[-1]["allow_retry"] is False


@pytest.mark.parametrize(
    ("op", "params"),
    [
        ("threads.create", {}),
        ("threads.create", {"input": {"content": []}}),
        ("threads.create", {"input": {"content": [{"type": "input_text", "text": "  "}]}}),
        ("threads.list", {"limit": "many"}),
        ("threads.list", {"after": "cthr_x"}),
        ("threads.explode", {}),
    ],
)
def test_an_operation_that_means_nothing_is_a_400(sandbox, secret, op, params):
    assert sandbox.converse(secret, op, params)[0] == 400


def test_a_page_of_any_origin_may_call_without_cookies(sandbox, secret):
    url = f"{sandbox.base_url}/chatkit/conversation"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}

    preflight = send(url, "OPTIONS", headers={"Origin": PAGE, **asked})
    answer = send(url, "POST", {"type": "threads.list"}, {"Origin": PAGE}, key=secret)
    refused = send(url, "POST", {"type": "threads.list"}, {"Origin": PAGE})

    assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "authorization,content-type")
    for each in (preflight, answer, refused):
        assert each.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in each.headers
    assert (answer.status, refused.status) == (200, 401)


def test_the_servers_api_is_not_for_browsers(sandbox, key):
    answer = send(f"{sandbox.base_url}/chatkit/sessions", "OPTIONS", headers={"Origin": PAGE})

    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("enabled", "content_type", "status", "code"),
    [
        (False, "application/pdf", 400, "chatkit.file_upload_disabled"),
        (True, "application/x-sh", 400, "chatkit.file_upload_type_rejected"),
        (True, "application/pdf", 200, None),
        (True, "image/png", 200, None),
    ],
)
def test_an_upload_is_taken_where_the_session_allows_it(sandbox, key, enabled, content_type, status, code):
    session = open_session(sandbox, key, chatkit_configuration={"file_upload": {"enabled": enabled}})
    part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: {content_type}\r\n\r\nx'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}

    answer = send(
        f"{sandbox.base_url}/chatkit/files",
        "POST",
        f"{part}\r\n--b--\r\n".encode(),
        headers,
        key=session["client_secret"],
    )

    assert answer.status == status
    assert answer.json.get("mime_type") == content_type if status == 200 else answer.error["code"] == code
