import json

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from chatkit_client import answers
from chatkit_client.answers import Answer, Session, Thread, ThreadPage
from chatkit_client.errors import ChatKitError, Reason, UpstreamInvalid
from tests.chatkit_client.cast import Key, make_key
from tests.chatkit_client.upstream import GOOD

ASKED = {"user": "u", "workflow_id": "wf_1", "key": Key(make_key())}
JSON = {"content-type": "application/json"}


def answer(body, headers=JSON, status=200):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw, 7, "req_1")


def refused(read, *args, **named):
    with pytest.raises(UpstreamInvalid) as caught:
        read(*args, **named)
    return caught.value


def test_a_good_session_is_read_and_its_secret_is_not_printed():
    session = answers.read_session(answer(GOOD | {"user": "u", "new_field": [1]}), **ASKED)

    assert session == Session("cksess_abc", "ek_abc", 1_800_000_000, "active")
    assert "ek_abc" not in repr(session)


def test_an_answer_does_not_print_what_the_upstream_wrote():
    assert "canary" not in repr(answer(b"canary", {"x": "canary"}))


@pytest.mark.proof("U4")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            ("client_secret", value)
            for value in (None, 1, [], {}, True, "", " ", "a b", "ek_é", "ek_\n", "<b>", "ek_=x", "\ud800", "e" * 9000)
        ],
        *[("id", value) for value in (None, 5, "", "x", "cksess_", "cksess_a/../b", "cksess_" + "a" * 201)],
        *[
            ("expires_at", value)
            for value in (None, True, "1800000000", 1.8e9, 0, -1, 4_102_444_800, 10**15, 10**300, [])
        ],
        *[("object", value) for value in (None, "list", 1)],
        *[("status", value) for value in (None, 1, "expired", "cancelled", "")],
    ],
)
def test_a_session_with_a_wrong_field_is_invalid(field, value):
    error = refused(answers.read_session, answer(GOOD | {field: value}), **ASKED)

    assert (error.reason, error.status, error.request_id, error.latency_ms) == (Reason.BODY_INVALID, 200, "req_1", 7)


@pytest.mark.proof("U4")
@pytest.mark.parametrize("field", ["id", "client_secret", "expires_at", "status"])
def test_a_session_with_a_missing_field_is_invalid(field):
    body = {name: value for name, value in GOOD.items() if name != field}

    assert refused(answers.read_session, answer(body), **ASKED).reason is Reason.BODY_INVALID


@pytest.mark.proof("U4")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"text"',
        b"<html>Bad gateway</html>",
        b'{"id": "cksess_abc"',
        b"\xff\xfe",
        b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
        json.dumps(GOOD).encode("utf-16"),
        json.dumps(GOOD).encode() + b"{}",
        json.dumps(GOOD).encode().replace(b"{", b'{"status": "active", ', 1),
        json.dumps(GOOD).encode().replace(b'"tracing"', b'"id"'),
        json.dumps(GOOD).encode().replace(b"1800000000", b"NaN"),
        json.dumps(GOOD | {"other": float("inf")}).encode(),
        json.dumps(GOOD).encode().replace(b"1800000000", b"1" * 5000),
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"[" * 30_000 + b"]" * 30_000,
    ],
)
def test_a_body_that_is_not_strict_json_is_invalid(body):
    assert refused(answers.read_session, answer(body), **ASKED).reason is Reason.BODY_INVALID


@pytest.mark.proof("U4")
@pytest.mark.parametrize(
    "content_type", [None, "", "text/html", "application/jsonp", "application/problem+json", "x" * 9999]
)
def test_another_content_type_is_invalid(content_type):
    headers = {} if content_type is None else {"content-type": content_type}

    assert refused(answers.read_session, answer(GOOD, headers), **ASKED).reason is Reason.CONTENT_TYPE


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8 "]
)
def test_json_with_parameters_is_read(content_type):
    assert answers.read_session(answer(GOOD, {"content-type": content_type}), **ASKED).id == "cksess_abc"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip", ""])
def test_a_compressed_answer_is_invalid_without_looking_into_it(encoding):
    error = refused(answers.read_session, answer(GOOD, JSON | {"content-encoding": encoding}), **ASKED)

    assert error.reason is Reason.CONTENT_ENCODING


@pytest.mark.proof("U4")
def test_a_session_of_another_user_is_never_handed_out():
    error = refused(answers.read_session, answer(GOOD | {"user": "somebody else"}), **ASKED)

    assert error.reason is Reason.ANSWER_MISMATCH


@pytest.mark.parametrize("workflow", [None, 5, [], {"id": "wf_other"}, {"id": None}])
def test_a_session_of_another_workflow_is_never_handed_out(workflow):
    error = refused(answers.read_session, answer(GOOD | {"workflow": workflow}), **ASKED)

    assert error.reason is Reason.ANSWER_MISMATCH


def test_threads_are_read():
    body = {
        "object": "list",
        "data": [{"id": "cthr_1", "user": "u", "title": None}],
        "has_more": True,
        "last_id": "cthr_1",
    }

    assert answers.read_threads(answer(body)) == ThreadPage((Thread("cthr_1", "u"),), True, "cthr_1")
    assert answers.read_threads(answer({"data": [], "has_more": False})) == ThreadPage((), False, None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": {}, "has_more": False},
        {"data": [], "has_more": 0},
        {"data": [None], "has_more": False},
        {"data": [{"id": "cthr_1"}], "has_more": False},
        {"data": [{"id": "../x", "user": "u"}], "has_more": False},
        {"data": [], "has_more": True},
        {"data": [], "has_more": True, "last_id": None},
        {"data": [], "has_more": False, "last_id": "../x"},
        {"data": [{"id": "cthr_1", "user": "u"}] * 101, "has_more": False},
    ],
)
def test_a_wrong_page_of_threads_is_invalid(body):
    assert refused(answers.read_threads, answer(body)).reason is Reason.BODY_INVALID


def test_a_cancellation_is_read_only_for_its_own_session():
    done = GOOD | {"status": "cancelled", "client_secret": ""}

    assert answers.read_cancelled(answer(done), session_id="cksess_abc") is None
    assert refused(answers.read_cancelled, answer(GOOD), session_id="cksess_abc").reason is Reason.BODY_INVALID
    assert refused(answers.read_cancelled, answer(done), session_id="cksess_x").reason is Reason.ANSWER_MISMATCH


def test_a_deletion_is_read_only_for_its_own_thread():
    assert answers.read_deleted(answer({"id": "cthr_1", "deleted": True}), thread_id="cthr_1") is None
    for body in ({"id": "cthr_1", "deleted": False}, {"id": "cthr_1"}, {"id": "cthr_1", "deleted": 1}):
        assert refused(answers.read_deleted, answer(body), thread_id="cthr_1").reason is Reason.BODY_INVALID
    error = refused(answers.read_deleted, answer({"id": "cthr_2", "deleted": True}), thread_id="cthr_1")
    assert error.reason is Reason.ANSWER_MISMATCH


def test_only_openai_itself_can_say_that_something_is_gone():
    assert answers.says_gone(answer({"error": {"message": "Chatkit Session with id 'x' not found."}}, status=404))
    assert not answers.says_gone(answer(b"<html>404</html>", status=404))
    assert not answers.says_gone(answer({"error": {}}, status=400))


READERS = [
    lambda given: answers.read_session(given, **ASKED),
    lambda given: answers.read_cancelled(given, session_id="cksess_abc"),
    lambda given: answers.read_deleted(given, thread_id="cthr_1"),
    answers.read_threads,
]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.dictionaries(
    st.sampled_from([*GOOD, "data", "has_more", "last_id", "deleted", "user", "error"]), values, max_size=9
)
envelopes = st.fixed_dictionaries(
    {"error": st.dictionaries(st.sampled_from(["message", "type", "code", "param"]), values)}
)
bodies = st.one_of(st.binary(max_size=300), (values | fields | envelopes).map(lambda value: json.dumps(value).encode()))
header_maps = st.dictionaries(
    st.sampled_from(["content-type", "content-encoding", "retry-after"]),
    st.text(max_size=80) | st.sampled_from(["application/json", "identity", "gzip", "120"]),
)


def failure_of(read, *args):
    """The error of the tree that reading ends with, or None; any other exception fails the test."""
    try:
        read(*args)
    except ChatKitError as error:
        return error
    return None


@pytest.mark.proof("U4")
def test_no_answer_whatever_raises_anything_outside_the_tree(proof):
    @effort(max_examples=proof.size(reduced=100, full=20_000), deadline=None)
    @given(status=st.integers(0, 999), headers=header_maps, body=bodies, reader=st.sampled_from(READERS))
    def every_answer(status, headers, body, reader):
        error = failure_of(reader, Answer(status, headers, body))
        assert status == 200 or error is not None
        if error is not None:
            assert (error.__cause__, error.__context__) == (None, None)
            assert error.retry_after is None or 1 <= error.retry_after <= 300

    every_answer()


@pytest.mark.proof("U4")
def test_no_body_of_a_200_raises_anything_outside_the_tree(proof):
    @effort(max_examples=proof.size(reduced=100, full=20_000), deadline=None)
    @given(body=bodies, reader=st.sampled_from(READERS))
    def every_body(body, reader):
        error = failure_of(reader, Answer(200, JSON, body))
        assert error is None or type(error) is UpstreamInvalid

    every_body()
