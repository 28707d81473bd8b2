"""The client against the stand-in for OpenAI, which the official SDK is tested against too."""

import pytest

from chatkit_client import errors
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError, Reason
from chatkit_client.transport import Transport
from sandbox.testing import running_sandbox
from tests.chatkit_client.cast import SETTINGS, USER, credentials


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as running:
        yield running


@pytest.mark.asyncio
async def test_a_visitors_life_from_the_first_session_to_the_last_thread(sandbox):
    given = credentials(sandbox.add_key(workflows=["wf_1"]))
    async with Transport(allowed_base_urls=[sandbox.base_url]) as transport:
        client = ChatKitClient(transport)

        created = await client.create_session(sandbox.base_url, given, user=USER, settings=SETTINGS)
        sandbox.say(created.session.client_secret, "Hello")
        page = await client.list_threads(sandbox.base_url, given, user=USER)
        others = await client.list_threads(sandbox.base_url, given, user="somebody else")
        deleted = [await client.delete_thread(sandbox.base_url, given, page.threads[0].id) for _ in range(2)]
        cancelled = await client.cancel_session(sandbox.base_url, given, created.session.id)
        unknown = await client.cancel_session(sandbox.base_url, given, "cksess_" + "0" * 48)

    assert [thread.user for thread in page.threads] == [USER]
    assert others.threads == ()
    assert (deleted, cancelled, unknown) == ([True, False], True, False)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        ("invalid", errors.KeyRejected, Reason.INVALID_KEY),
        ("unscoped", errors.KeyRejected, Reason.MISSING_SCOPE),
        ("billing", errors.BillingBlocked, Reason.BILLING),
        ("throttled", errors.Throttled, Reason.THROTTLED),
    ],
)
async def test_each_state_of_a_key_has_its_error(sandbox, state, kind, reason):
    key = sandbox.add_key(workflows=["wf_1"])
    sandbox.set_key(key, state)
    async with Transport(allowed_base_urls=[sandbox.base_url]) as transport:
        client = ChatKitClient(transport)
        for deed in (
            client.create_session(sandbox.base_url, credentials(key), user=USER, settings=SETTINGS),
            client.read_probe(sandbox.base_url, credentials(key)),
        ):
            with pytest.raises(ChatKitError) as caught:
                await deed
            assert (type(caught.value), caught.value.reason) == (kind, reason)


@pytest.mark.asyncio
async def test_a_workflow_of_another_project_is_missing_and_the_probe_does_not_see_it(sandbox):
    given = credentials(sandbox.add_key(project="proj_other", workflows=["wf_other"]))
    async with Transport(allowed_base_urls=[sandbox.base_url]) as transport:
        client = ChatKitClient(transport)
        with pytest.raises(errors.WorkflowMissing):
            await client.create_session(sandbox.base_url, given, user=USER, settings=SETTINGS)
        assert (await client.read_probe(sandbox.base_url, given)).status == 200
