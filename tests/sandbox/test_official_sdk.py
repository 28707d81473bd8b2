"""OpenAI's own Python SDK speaks to the sandbox as it would to OpenAI."""

import openai
import pytest

WORKFLOW = "wf_shop"


@pytest.fixture
def key(sandbox):
    return sandbox.add_key(workflows=[WORKFLOW])


def client(sandbox, key, *, timeout=5.0):
    return openai.OpenAI(api_key=key, base_url=sandbox.base_url, max_retries=0, timeout=timeout)


@pytest.fixture
def sdk(sandbox, key):
    with client(sandbox, key) as sdk:
        yield sdk


def create(sdk, user="visitor-1", **more):
    return sdk.beta.chatkit.sessions.create(user=user, workflow={"id": WORKFLOW}, **more)


def test_a_session_is_created_with_openais_defaults(sdk):
    session = create(sdk)

    assert session.id.startswith("cksess_")
    assert session.status == "active"
    assert session.user == "visitor-1"
    assert session.client_secret.startswith(f"ek_sandbox_{session.expires_at}_")
    assert session.max_requests_per_1_minute == session.rate_limits.max_requests_per_1_minute == 10
    assert session.workflow.model_dump() == {
        "id": WORKFLOW,
        "state_variables": None,
        "tracing": {"enabled": True},
        "version": None,
    }
    assert session.chatkit_configuration.model_dump() == {
        "automatic_thread_titling": {"enabled": True},
        "file_upload": {"enabled": False, "max_file_size": 512, "max_files": 10},
        "history": {"enabled": True, "recent_threads": None},
    }


def test_every_setting_of_a_session_comes_back_resolved(sdk):
    session = sdk.beta.chatkit.sessions.create(
        user="visitor-1",
        workflow={
            "id": WORKFLOW,
            "version": "3",
            "state_variables": {"plan": "gold", "age": 7, "beta": True},
            "tracing": {"enabled": False},
        },
        expires_after={"anchor": "created_at", "seconds": 60},
        rate_limits={"max_requests_per_1_minute": 3},
        chatkit_configuration={
            "automatic_thread_titling": {"enabled": False},
            "file_upload": {"enabled": True, "max_file_size": 5, "max_files": 2},
            "history": {"enabled": False, "recent_threads": 4},
        },
    )

    assert session.workflow.version == "3"
    assert session.workflow.state_variables == {"plan": "gold", "age": 7, "beta": True}
    assert session.workflow.tracing.enabled is False
    assert session.max_requests_per_1_minute == 3
    assert session.chatkit_configuration.file_upload.max_file_size == 5
    assert session.chatkit_configuration.history.recent_threads == 4


def test_a_cancelled_session_opens_no_chat(sandbox, sdk):
    session = create(sdk)

    cancelled = sdk.beta.chatkit.sessions.cancel(session.id)

    assert (cancelled.status, cancelled.client_secret) == ("cancelled", "")
    status, _ = sandbox.converse(session.client_secret, "threads.list", {})
    assert status == 401


def test_threads_are_listed_shown_and_deleted(sandbox, sdk):
    for user, text in (("ann", "first"), ("ann", "second"), ("bob", "third")):
        sandbox.say(create(sdk, user).client_secret, text)

    of_ann = sdk.beta.chatkit.threads.list(user="ann")
    everyone = sdk.beta.chatkit.threads.list()

    assert [thread.title for thread in of_ann.data] == ["second", "first"]
    assert {thread.user for thread in everyone.data} == {"ann", "bob"}
    newest = of_ann.data[0]
    assert sdk.beta.chatkit.threads.retrieve(newest.id).status.type == "active"
    items = sdk.beta.chatkit.threads.list_items(newest.id, order="asc").data
    assert [item.type for item in items] == ["chatkit.user_message", "chatkit.assistant_message"]
    assert items[0].content[0].text == "second"
    assert sdk.beta.chatkit.threads.delete(newest.id).deleted is True
    assert [thread.title for thread in sdk.beta.chatkit.threads.list(user="ann").data] == ["first"]


def test_the_sdk_pages_through_threads_by_itself(sandbox, sdk):
    session = create(sdk)
    for number in range(5):
        sandbox.say(session.client_secret, f"message {number}")

    seen = [thread.title for thread in sdk.beta.chatkit.threads.list(user="visitor-1", limit=2, order="asc")]

    assert seen == [f"message {number}" for number in range(5)]


def test_models_are_listed(sdk):
    assert [model.object for model in sdk.models.list()] == ["model", "model"]


def refuse_by_state(state, **more):
    def arrange(sandbox, key):
        sandbox.set_key(key, state, **more)

    return arrange


def refuse_by_host(mode, **more):
    def arrange(sandbox, key):
        sandbox.set_host(mode, **more)

    return arrange


@pytest.mark.parametrize(
    ("arrange", "error", "status", "code"),
    [
        (refuse_by_state("invalid"), openai.AuthenticationError, 401, "invalid_api_key"),
        (refuse_by_state("unscoped"), openai.AuthenticationError, 401, None),
        (refuse_by_state("ip_blocked"), openai.AuthenticationError, 401, None),
        (refuse_by_state("region_blocked"), openai.PermissionDeniedError, 403, "unsupported_country_region_territory"),
        (refuse_by_state("forbidden"), openai.PermissionDeniedError, 403, None),
        (refuse_by_state("throttled"), openai.RateLimitError, 429, "rate_limit_exceeded"),
        (refuse_by_state("billing"), openai.RateLimitError, 429, "insufficient_quota"),
        (
            lambda sandbox, key: sandbox.set_workflow(WORKFLOW, exists=False),
            openai.NotFoundError,
            404,
            None,
        ),
        (refuse_by_host("down", status=500), openai.InternalServerError, 500, None),
        (refuse_by_host("down", status=503), openai.InternalServerError, 503, "server_is_overloaded"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_each_refusal_is_the_sdks_own_error(sandbox, key, sdk, arrange, error, status, code):
    arrange(sandbox, key)

    with pytest.raises(error) as caught:
        create(sdk)

    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert key not in str(caught.value)


def test_a_bad_request_is_the_sdks_own_error(sdk):
    with pytest.raises(openai.BadRequestError) as caught:
        create(sdk, expires_after={"anchor": "created_at", "seconds": 1800})

    assert (caught.value.param, caught.value.code) == ("expires_after.seconds", "integer_above_max_value")


@pytest.mark.parametrize(("mode", "error"), [("reset", openai.APIConnectionError), ("hang", openai.APITimeoutError)])
def test_a_host_without_an_answer_is_a_connection_error(sandbox, key, mode, error):
    sandbox.set_host(mode)

    with client(sandbox, key, timeout=0.5) as sdk, pytest.raises(error):
        create(sdk)

    assert sandbox.creates()[0]["status"] is None
