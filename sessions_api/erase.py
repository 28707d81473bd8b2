"""Erases at OpenAI the threads of one visitor or of all of a tenant's that a key can reach, page by page, as time allows."""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from chatkit_client.answers import Thread
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError
from chatkit_client.transport import Credentials
from sessions_api.edge import make_transport

PAGE: Final = 50
CONCURRENCY: Final = 25
# A slice ends within a deadline for the list and two for its deletions after its last page was begun.
DEADLINE: Final = 4.0


@dataclass(frozen=True, slots=True)
class Erased:
    """How far one slice came. `cursor` is where the next one goes on: the last thread seen that belongs to somebody else."""

    deleted: int
    cursor: str
    finished: bool
    error: ChatKitError | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """Either one `user`, or all whose name begins with `prefix`."""

    user: str = ""
    prefix: str = ""

    def is_theirs(self, thread: Thread) -> bool:
        return thread.user == self.user if self.user else thread.user.startswith(self.prefix)


def erase_threads(*, base_url: str, credentials: Credentials, whose: Whose, cursor: str, seconds: float) -> Erased:
    """Deletes their threads, oldest first, beginning no page after `seconds`. Finished when the last page shows none of them.

    A project may be shared with other software of the tenant's, so each thread is looked at; the API filters by whole users only.
    """
    if not (whose.user or whose.prefix):
        raise ValueError("Whose threads are to be erased must be said.")
    return asyncio.run(_erase(base_url, credentials, whose, cursor, time.monotonic() + seconds))


async def _erase(base_url: str, credentials: Credentials, whose: Whose, cursor: str, until: float) -> Erased:
    deleted = 0
    async with make_transport(connections=CONCURRENCY) as transport:
        client = ChatKitClient(transport)
        while time.monotonic() < until:
            try:
                # Oldest first, so that threads which appear meanwhile are met at the end.
                page = await client.list_threads(
                    base_url,
                    credentials,
                    limit=PAGE,
                    after=cursor or None,
                    user=whose.user or None,
                    order="asc",
                    deadline=DEADLINE,
                )
            except ChatKitError as error:
                return Erased(deleted, cursor, finished=False, error=error)
            ours = [thread for thread in page.threads if whose.is_theirs(thread)]
            gone, failure = await _delete(client, base_url, credentials, ours)
            deleted += gone
            if failure is not None:
                return Erased(deleted, cursor, finished=False, error=failure)
            # A deleted thread can't be a cursor: go on after the last one that stays.
            cursor = next((thread.id for thread in reversed(page.threads) if thread not in ours), cursor)
            # One who is to be erased wants proof: a page that shows nothing of theirs any more.
            if not page.has_more and not (ours and whose.user):
                return Erased(deleted, cursor, finished=True)
    return Erased(deleted, cursor, finished=False)


async def _delete(
    client: ChatKitClient, base_url: str, credentials: Credentials, threads: list[Thread]
) -> tuple[int, ChatKitError | None]:
    """How many are gone, and the first failure."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(thread: Thread) -> None:
        async with gate:
            await client.delete_thread(base_url, credentials, thread.id, deadline=DEADLINE)

    results = await asyncio.gather(*(one(thread) for thread in threads), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if not isinstance(failure, ChatKitError):
            raise failure
    return len(threads) - len(failures), next((error for error in failures if isinstance(error, ChatKitError)), None)
