"""Every fault that the sandbox knows, against a mint and a probe: in time, in the tree, and silent about the key."""

import logging
import time

import pytest

from chatkit_client import errors
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError
from chatkit_client.transport import Transport
from sandbox.faults.server import running_faults
from sandbox.faults.table import FAULTS
from tests.chatkit_client.cast import SETTINGS, USER, credentials, make_key
from tests.chatkit_client.test_leaks import assert_silent, texts_of

DEADLINE = 0.6
SLACK = 0.4
# What a fault of each family may end as; U5 is a table of its own in test_classify.
ENDS = {
    "U1": (errors.UpstreamUnavailable, errors.UpstreamInvalid),
    "U2": (errors.UpstreamUnavailable,),
    "U3": (errors.UpstreamUnavailable, errors.UpstreamInvalid),
    "U4": (errors.UpstreamInvalid,),
    "U5": (ChatKitError,),
    "U7": (errors.UpstreamInvalid,),
    "K7": (ChatKitError,),
}
OPTIONS = {"ok_late": {"seconds": 0.1}}
HARMLESS = {"ok", "ok_with_request_id", "ok_late", "stale_keepalive", "early_hints", "echo_key_header_200"}
# Spoiled fields of a session, which a list of threads does not have.
ONLY_SESSIONS = (
    "secret_",
    "id_",
    "expires_",
    "status_cancelled",
    "other_object",
    "duplicate_keys",
    "lone_surrogate",
    "echo_key_secret",
)
BY_PROOF = [
    pytest.param(name, marks=pytest.mark.proof(fault.family) if fault.family in ENDS else ())
    for name, fault in FAULTS.items()
]


@pytest.fixture(scope="module")
def faults():
    with running_faults() as server:
        yield server


@pytest.mark.asyncio
@pytest.mark.parametrize("name", BY_PROOF)
async def test_a_mint_meets_a_fault_of_the_sandbox(faults, name, caplog):
    caplog.set_level(logging.DEBUG)
    key = make_key()
    base_url = faults.base_url(name, **OPTIONS.get(name, {"interval": 0.05}))

    async with Transport(allowed_base_urls=[base_url], deadline=DEADLINE) as transport:
        started = time.monotonic()
        error = None
        try:
            await ChatKitClient(transport).create_session(base_url, credentials(key), user=USER, settings=SETTINGS)
        except ChatKitError as caught:
            error = caught
        seconds = time.monotonic() - started

    assert seconds < DEADLINE + SLACK
    assert_silent(caplog.text, key)
    if name in HARMLESS:
        assert error is None
        return
    assert isinstance(error, ENDS[FAULTS[name].family])
    assert_silent(texts_of(error), key)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", BY_PROOF)
async def test_a_health_check_meets_a_fault_of_the_sandbox(faults, name):
    base_url = faults.base_url(name, **OPTIONS.get(name, {"interval": 0.05}))

    async with Transport(allowed_base_urls=[base_url], deadline=DEADLINE) as transport:
        started = time.monotonic()
        error = None
        try:
            await ChatKitClient(transport).read_probe(base_url, credentials())
        except ChatKitError as caught:
            error = caught
        seconds = time.monotonic() - started

    assert seconds < DEADLINE + SLACK
    if name in HARMLESS or name.startswith(ONLY_SESSIONS):
        return
    assert isinstance(error, ENDS[FAULTS[name].family])
