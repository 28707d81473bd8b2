"""ChatKit's store on our models: conversations and their parts as JSON of its own types, sealed.

Each call is one trip to a thread of the chat desk. What is another visitor's is not found, as what never was. Times are naive UTC
in ChatKit's types, since it stamps them so, and have their zone in the database.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from chatkit.errors import CustomStreamError
from chatkit.store import NotFoundError, Store, StoreItemType
from chatkit.types import Attachment, Page, ThreadItem, ThreadMetadata
from django.db import DatabaseError, InterfaceError
from pydantic import TypeAdapter

from chat_server import conversations as rows
from chat_server import files, turns
from chat_server.conversations import NoSuchRow, Piece
from chat_server.sealing import ATTACHMENT, THREAD, new_id
from chat_server.serving.attached import stored_attachment, with_fresh_links
from chat_server.serving.context import ChatContext
from chat_server.serving.desk import DATABASE_SECONDS
from encryption.vault import SecretError

R = TypeVar("R")
_SORTS: Final[dict[StoreItemType, str]] = {
    "thread": THREAD,
    "message": "msg",
    "tool_call": "tc",
    "task": "tsk",
    "workflow": "wf",
    "attachment": ATTACHMENT,
    "sdk_hidden_context": "shcx",
}
_item: Final[TypeAdapter[ThreadItem]] = TypeAdapter(ThreadItem)


class StoreSilent(CustomStreamError):
    """The database does not answer, or a key that it needs is missing; `reason` is for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__("This chat cannot be saved just now. Please try again in a moment.", allow_retry=True)
        self.reason = reason


class ConversationStore(Store[ChatContext]):
    def generate_thread_id(self, context: ChatContext) -> str:
        context.new_thread = new_id(THREAD)
        return context.new_thread

    def generate_item_id(self, item_type: StoreItemType, thread: ThreadMetadata, context: ChatContext) -> str:
        return new_id(_SORTS[item_type])

    async def load_thread(self, thread_id: str, context: ChatContext) -> ThreadMetadata:
        body = await ask(context, lambda: rows.read_thread(context.owner, thread_id))
        return ThreadMetadata.model_validate_json(body)

    async def save_thread(self, thread: ThreadMetadata, context: ChatContext) -> None:
        """Makes a conversation only of the id that this request has drawn: one that was deleted meanwhile stays so."""
        body = thread.model_dump_json(exclude={"items"}).encode()
        if thread.id != context.new_thread:
            try:
                await ask(context, lambda: rows.update_thread(context.owner, thread.id, body))
            except NotFoundError:
                # Deleted while its answer comes: whoever watches the stream says why it ends. A title is no reason to fail.
                if context.account is None:
                    raise
            return
        piece = Piece(thread.id, "thread", _with_zone(thread.created_at), body)
        await ask(context, lambda: turns.begin_thread(context.owner, piece, context.turn))
        context.new_thread = ""

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: ChatContext
    ) -> Page[ThreadMetadata]:
        """Empty where the assistant keeps no history: a conversation is reached by its own id then."""
        rules = context.assistant.settings
        if rules is not None and not rules.history_enabled:
            return Page()
        found = await ask(context, lambda: rows.read_threads(context.owner, after=after, limit=limit, order=order))
        threads = [ThreadMetadata.model_validate_json(body) for body in found.bodies]
        return Page(data=threads, has_more=bool(found.after), after=found.after or None)

    async def delete_thread(self, thread_id: str, context: ChatContext) -> None:
        await ask(context, lambda: rows.delete_thread(context.owner, thread_id))

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: ChatContext
    ) -> Page[ThreadItem]:
        found = await ask(
            context, lambda: rows.read_items(context.owner, thread_id, after=after, limit=limit, order=order)
        )
        items = [with_fresh_links(_item.validate_json(body), context) for body in found.bodies]
        return Page(data=items, has_more=bool(found.after), after=found.after or None)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: ChatContext) -> None:
        body = item.model_dump_json().encode()
        piece = Piece(item.id, item.type, _with_zone(item.created_at), body)
        await ask(context, lambda: rows.put_item(context.owner, thread_id, piece))

    async def save_item(self, thread_id: str, item: ThreadItem, context: ChatContext) -> None:
        await self.add_thread_item(thread_id, item, context)

    async def load_item(self, thread_id: str, item_id: str, context: ChatContext) -> ThreadItem:
        body = await ask(context, lambda: rows.read_item(context.owner, thread_id, item_id))
        return with_fresh_links(_item.validate_json(body), context)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: ChatContext) -> None:
        await ask(context, lambda: rows.delete_item(context.owner, thread_id, item_id))

    async def save_attachment(self, attachment: Attachment, context: ChatContext) -> None:
        """Its row was made when it was announced; a message that has it takes it into its conversation."""
        thread_id = attachment.thread_id
        if thread_id is not None:
            await ask(context, lambda: files.take_into(context.owner, attachment.id, thread_id))

    async def load_attachment(self, attachment_id: str, context: ChatContext) -> Attachment:
        """For a message that is to have it: only a file that was uploaded."""
        row = await ask(context, lambda: files.read(context.owner, attachment_id))
        try:
            return stored_attachment(row, context)
        except NoSuchRow:
            raise NotFoundError from None

    async def delete_attachment(self, attachment_id: str, context: ChatContext) -> None:
        await ask(context, lambda: files.delete(context.owner, attachment_id))


async def ask(context: ChatContext, work: Callable[[], R]) -> R:
    """What the database gives; raises NotFoundError, and StoreSilent when it gives nothing."""
    try:
        return await context.desk.threads.run(work, seconds=DATABASE_SECONDS)
    except NoSuchRow:
        raise NotFoundError from None
    except SecretError:
        raise StoreSilent("conversation_unreadable") from None
    except (DatabaseError, InterfaceError, TimeoutError) as error:
        raise StoreSilent("database_silent") from error


def _with_zone(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
