"""The network part of checks: many at once, each within its own deadline, no database.

It runs on a thread of its own, so that the caller can write a finding down as soon as it comes in, while the slow ones are still
under way; and the caller's database work stalls nobody's deadline.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from chatkit_client.calls import SessionSettings
from chatkit_client.client import ChatKitClient
from chatkit_client.errors import ChatKitError, KeyRejected, ModelMissing, Reason
from chatkit_client.transport import Credentials, Transport
from key_health.verdicts import Finding, finding_of
from tenants.models.key import Verdict

logger = logging.getLogger(__name__)

DEADLINE: Final = 8.0
CANCEL_DEADLINE: Final = 3.0
LOOK_UP_DEADLINE: Final = 4.0
CONCURRENCY: Final = 100
# Long enough to be cancelled, and gone soon where cancelling fails.
PROBE_LIFETIME: Final = 15


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask OpenAI; `number` says for whom. Without `workflow_id` and `model`: the read probe.

    `is_of_key`: only whether the key is known; a model that it may not use is the pair's trouble.

    `user` marks the probe's sessions; `wants_answer`: the model is run, which costs a few tokens, and not only looked up.
    """

    number: int
    base_url: str
    credentials: Credentials
    user: str = ""
    workflow_id: str = ""
    workflow_version: str | None = None
    model: str = ""
    is_of_key: bool = False
    wants_answer: bool = False


# A number with its finding, or with None where the probe was not begun; None alone ends the queue.
Results: TypeAlias = "queue.SimpleQueue[tuple[int, Finding | None] | None]"


def run_probes(
    probes: Sequence[Probe], transport: Transport, *, begin_within: float
) -> Iterator[tuple[int, Finding | None]]:
    """Gives each probe's number and finding, the quickest first; None for those that could not begin within so many seconds.

    A probe that breaks gives `check_failed`, never an exception.
    """
    found: Results = queue.SimpleQueue()

    def work() -> None:
        try:
            asyncio.run(_fan_out(probes, transport, found, begin_until=time.monotonic() + begin_within))
        except Exception:
            logger.exception("key checks broke off; the claims of the rest expire and are taken up again")
        finally:
            found.put(None)

    threading.Thread(target=work, name="key-probes", daemon=True).start()
    while (item := found.get()) is not None:
        yield item


async def _fan_out(probes: Sequence[Probe], transport: Transport, found: Results, *, begin_until: float) -> None:
    gate = asyncio.Semaphore(CONCURRENCY)
    async with transport:
        client = ChatKitClient(transport)

        async def one(probe: Probe) -> None:
            async with gate:
                begins = time.monotonic() < begin_until
                found.put((probe.number, await _ask(client, probe) if begins else None))

        await asyncio.gather(*(one(probe) for probe in probes))


async def _ask(client: ChatKitClient, probe: Probe) -> Finding:
    try:
        if probe.model:
            return await (_know_key if probe.is_of_key else _run_model)(client, probe)
        return await (_create_and_cancel(client, probe) if probe.workflow_id else _read(client, probe))
    except ChatKitError as error:
        return finding_of(error)
    except ValueError as error:
        # The transport refuses an address that is not in OPENAI_BASE_URLS, and `calls` what OpenAI could only refuse.
        logger.warning("a key check could not be sent: %s", error)
        return Finding(Verdict.UNCHECKED, "check_failed")
    except Exception:
        logger.exception("a key check broke")
        return Finding(Verdict.UNCHECKED, "check_failed")


async def _read(client: ChatKitClient, probe: Probe) -> Finding:
    probed = await client.read_probe(probe.base_url, probe.credentials, deadline=DEADLINE)
    return Finding(
        Verdict.HEALTHY, status=probed.status, request_id=probed.request_id or "", latency_ms=probed.latency_ms
    )


async def _know_key(client: ChatKitClient, probe: Probe) -> Finding:
    """For a key that only runs models: whoever is told that it may not look, or that there is no such model, is known."""
    try:
        probed = await client.show_model(probe.base_url, probe.credentials, probe.model, deadline=DEADLINE)
    except (KeyRejected, ModelMissing) as refusal:
        if isinstance(refusal, KeyRejected) and refusal.reason is not Reason.MISSING_SCOPE:
            raise
        return Finding(
            Verdict.HEALTHY,
            status=refusal.status,
            request_id=refusal.request_id or "",
            latency_ms=refusal.latency_ms or 0,
        )
    return Finding(
        Verdict.HEALTHY, status=probed.status, request_id=probed.request_id or "", latency_ms=probed.latency_ms
    )


async def _run_model(client: ChatKitClient, probe: Probe) -> Finding:
    """Looks the model up first: whatever is wrong with key or model is mostly told there, for nothing."""
    wants_answer = probe.wants_answer
    try:
        probed = await client.show_model(probe.base_url, probe.credentials, probe.model, deadline=LOOK_UP_DEADLINE)
    except KeyRejected as refusal:
        # A restricted key may run models without the right to look them up.
        if refusal.reason is not Reason.MISSING_SCOPE:
            raise
        wants_answer = True
    if wants_answer:
        probed = await client.shortest_answer(probe.base_url, probe.credentials, probe.model, deadline=DEADLINE)
    return Finding(
        Verdict.HEALTHY, status=probed.status, request_id=probed.request_id or "", latency_ms=probed.latency_ms
    )


async def _create_and_cancel(client: ChatKitClient, probe: Probe) -> Finding:
    created = await client.create_session(
        probe.base_url,
        probe.credentials,
        user=probe.user,
        settings=SessionSettings(
            workflow_id=probe.workflow_id,
            workflow_version=probe.workflow_version,
            expires_after=PROBE_LIFETIME,
            max_requests_per_minute=1,
            history_enabled=False,
            automatic_titles=False,
            tracing=False,
        ),
        deadline=DEADLINE,
    )
    await _cancel(client, probe, created.session.id)
    return Finding(
        Verdict.HEALTHY, status=created.status, request_id=created.request_id or "", latency_ms=created.latency_ms
    )


async def _cancel(client: ChatKitClient, probe: Probe, session_id: str) -> None:
    """Twice at most; what cannot be cancelled expires by itself after `PROBE_LIFETIME` seconds."""
    for _ in range(2):
        try:
            await client.cancel_session(probe.base_url, probe.credentials, session_id, deadline=CANCEL_DEADLINE)
            return
        except ChatKitError as error:
            failure = error
    logger.warning("a probe session was not cancelled and expires in %s s: %s", PROBE_LIFETIME, failure)
