"""The recurring parts of these tests: a key, its credentials, a client on a raw server, one mint."""

import contextlib
import secrets
from collections.abc import AsyncIterator

from chatkit_client.calls import SessionSettings
from chatkit_client.client import ChatKitClient, Created
from chatkit_client.errors import ChatKitError
from chatkit_client.transport import Credentials, Transport
from tests.chatkit_client.upstream import Play, Upstream, upstream

SETTINGS = SessionSettings(workflow_id="wf_1")
USER = "v1.tn_x.abc"


class Key:
    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


def make_key() -> str:
    """A key that no example or rule of a scanner knows, made anew each time."""
    return "sk-" + "proj-" + secrets.token_urlsafe(30)


def credentials(key: str | None = None, **more: str) -> Credentials:
    return Credentials(Key(key or make_key()), **more)


@contextlib.asynccontextmanager
async def client_of(play: Play, **options) -> AsyncIterator[tuple[ChatKitClient, Upstream]]:
    """A client and the raw server that it talks to."""
    async with upstream(play) as server, Transport(allowed_base_urls=[server.base_url], **options) as transport:
        yield ChatKitClient(transport), server


async def mint(client: ChatKitClient, server: Upstream, key: str | None = None, **more) -> Created:
    return await client.create_session(server.base_url, credentials(key), user=USER, settings=SETTINGS, **more)


async def failed_mint(play: Play, *, key: str | None = None, **options) -> ChatKitError:
    """Mints once against `play` and gives the error; any other exception, or none, fails the test."""
    async with client_of(play, **options) as (client, server):
        try:
            await mint(client, server, key)
        except ChatKitError as error:
            return error
    raise AssertionError("the mint succeeded")
