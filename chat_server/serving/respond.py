"""From a stored message to what the visitor's chat shows: asks the model with the first of an assistant's keys that works.

Keys are tried in their order, as for sessions (sessions_api/mint.py): a fault of the key hands over to the next one, unless words
were shown already. Whoever leaves ends the run at OpenAI, which else would go on and be billed. The run's account is settled
on every way out, once. What was shown of an answer that broke off is kept as it is, and trying again replaces it.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agents.items import TResponseInputItem
from chatkit.types import ThreadMetadata, ThreadStreamEvent, UserMessageItem

from chat_server.files import read_attachment
from chat_server.metering import ANSWERED, CUT, RunAccount
from chat_server.serving.agent import start_run
from chat_server.serving.input_items import length_of, load_conversation
from chat_server.serving.model_errors import (
    KEY_FAULTS,
    RunFailed,
    code_of,
    failure_of,
    left_alone,
    message_too_long,
    no_key,
    too_many_turns,
)
from chat_server.serving.quiet import without_content
from chat_server.serving.run_stream import stream_run
from chat_server.serving.shown import Shown
from chat_server.serving.titles import name_thread
from chat_server.serving.tools import RunContext
from chatkit_client.errors import ChatKitError, Throttled, UpstreamUnavailable
from gateway.breaker import Passage
from gateway.errors import Code
from tenants.snapshot import KeySnapshot
from tenants.upstreams import UpstreamChoice

if TYPE_CHECKING:
    from chat_server.serving.context import ChatContext

logger = logging.getLogger(__name__)

# The request that makes a conversation: it has no other messages.
_BEGINS: Final = "threads.create"


async def respond(
    server: Any, thread: ThreadMetadata, message: UserMessageItem | None, context: "ChatContext"
) -> AsyncIterator[ThreadStreamEvent]:
    """The events of one answer. Raises CustomStreamError with words for the visitor; needs `context.account`."""
    account = context.account
    if account is None:
        raise RuntimeError("No run was admitted for this request: views call admit_run before the stream begins.")
    shown = Shown()
    failure: RunFailed
    try:
        async with aclosing(_answer(server, thread, message, context, account)) as events:
            async for event in events:
                is_first = shown.note(event)
                if is_first:
                    account.first_words()
                yield event
                if is_first:
                    _name(thread, message, context)
    except Exception as error:
        failure = failure_of(error)
        _log(error, failure, context)
    except BaseException:
        # Cancelled, or left in the middle: what was written until now is charged.
        await account.settle(CUT)
        raise
    else:
        await account.settle(ANSWERED)
        return
    _name(thread, message, context)
    await account.settle(failure.outcome, failure.reason)
    for event in shown.rest():
        yield event
    raise failure.told(context.tenant)


async def _answer(
    server: Any,
    thread: ThreadMetadata,
    message: UserMessageItem | None,
    context: "ChatContext",
    account: RunAccount,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    agent, upstream = context.agent, context.tenant.upstream
    if message is not None and (length := length_of(message)) > agent.max_input_chars:
        raise message_too_long(length, most=agent.max_input_chars)
    if upstream is None:
        raise RunFailed(Code.TENANT_MISCONFIGURED, "upstream_not_allowed")
    conversation = await load_conversation(
        server.store,
        thread.id,
        context,
        most_chars_of_message=agent.max_input_chars,
        read_file=partial(read_attachment, context),
        only_message=message if context.operation == _BEGINS else None,
    )
    turns = agent.max_turns - conversation.turns
    if turns < 1:
        raise too_many_turns()

    def run(key: KeySnapshot) -> AsyncGenerator[ThreadStreamEvent, None]:
        return _run(server, thread, context, account, key, upstream, conversation.items, turns)

    async with aclosing(_by_first_key_that_works(context, upstream, run)) as events:
        async for event in events:
            yield event


def _name(thread: ThreadMetadata, message: UserMessageItem | None, context: "ChatContext") -> None:
    """ChatKit saves a changed conversation at the next event; by then the visitor has the first words."""
    settings = context.assistant.settings
    if settings is not None and settings.automatic_titles:
        name_thread(thread, message)


async def _by_first_key_that_works(
    context: "ChatContext",
    upstream: UpstreamChoice,
    run: Callable[[KeySnapshot], AsyncGenerator[ThreadStreamEvent, None]],
) -> AsyncGenerator[ThreadStreamEvent, None]:
    breakers = context.desk.gateway.breakers
    host = breakers.of_host(upstream.base_url)
    failure = no_key("")
    usable = context.assistant.chat_keys
    for key in context.assistant.keys:
        if key not in usable:
            failure = no_key(key.problem)
            continue
        pair = breakers.of((key.id, context.assistant.id))
        passage = pair.enter()
        if passage is None:
            failure = left_alone(Code(pair.reason))
            continue
        host_passage = host.enter(caller=key.id)
        if host_passage is None:
            passage.abandoned()
            raise left_alone(Code(host.reason))
        is_shown = False
        try:
            async with aclosing(run(key)) as events:
                async for event in events:
                    is_shown = True
                    # OpenAI serves this key. What becomes of a long answer later says nothing about the next one.
                    passage.succeeded()
                    host_passage.succeeded()
                    yield event
        except ChatKitError as error:
            failure = failure_of(error)
            _tell_breakers(error, passage, host_passage)
            if is_shown or not isinstance(error, KEY_FAULTS):
                raise
        else:
            passage.succeeded()
            host_passage.succeeded()
            return
        finally:
            # Only who was cancelled, or met a defect of ours, comes here without a word on the outcome.
            passage.abandoned()
            host_passage.abandoned()
    raise failure


async def _run(
    server: Any,
    thread: ThreadMetadata,
    context: "ChatContext",
    account: RunAccount,
    key: KeySnapshot,
    upstream: UpstreamChoice,
    items: list[TResponseInputItem],
    turns: int,
) -> AsyncGenerator[ThreadStreamEvent, None]:
    if key.credentials is None:
        raise no_key(key.problem)
    client = context.desk.models.of(upstream.base_url, key.credentials)
    account.began(key_id=key.id, model=context.agent.model)
    chat = RunContext(thread=thread, store=server.store, request_context=context)
    run = start_run(
        context.agent,
        name=context.assistant.name,
        client=client,
        account=account,
        items=items,
        context=chat,
        turns=turns,
    )
    async with aclosing(stream_run(chat, run)) as events:
        async for event in events:
            yield event


def _tell_breakers(error: ChatKitError, passage: Passage, host_passage: Passage) -> None:
    code = code_of(error)
    passage.failed(code, cool_down=error.retry_after if isinstance(error, Throttled) else None)
    if isinstance(error, UpstreamUnavailable):
        host_passage.failed(code)
    else:
        host_passage.succeeded()


def _log(error: Exception, failure: RunFailed, context: "ChatContext") -> None:
    """Facts only: what foreign exceptions say may repeat what the visitor wrote."""
    if failure.outcome != Code.INTERNAL_ERROR:
        logger.info("No answer for request %s: %s (%s)", context.request_id, failure.outcome, failure.reason)
        return
    logger.error("A run broke off for request %s: %s", context.request_id, without_content(error))
