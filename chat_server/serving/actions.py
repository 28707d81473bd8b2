"""What a widget's or page's action does: the assistant is told of it, unseen by the visitor, and answers."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from chatkit.actions import Action
from chatkit.errors import CustomStreamError
from chatkit.types import (
    HiddenContextItem,
    SyncCustomActionResponse,
    ThreadItemDoneEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    WidgetItem,
)

from chat_server.serving.respond import respond

if TYPE_CHECKING:
    from chat_server.serving.context import ChatContext

MOST_BYTES: Final = 8_192
TOO_LARGE: Final = "action_too_large"


async def act(
    server: Any, thread: ThreadMetadata, action: Action[str, Any], sender: WidgetItem | None, context: "ChatContext"
) -> AsyncIterator[ThreadStreamEvent]:
    """Keep the action in the conversation, then let the assistant answer."""
    told = {"action": action.type, "payload": action.payload, "widget": sender.id if sender else None}
    content = json.dumps(told, ensure_ascii=False, default=str)
    if len(content.encode()) > MOST_BYTES:
        if context.account is not None:
            await context.account.settle(TOO_LARGE)
        raise CustomStreamError("This could not be passed on, since it is too large.", allow_retry=False)
    item = HiddenContextItem(
        id=server.store.generate_item_id("message", thread, context),
        thread_id=thread.id,
        created_at=datetime.now(UTC),
        content=f"The visitor used a control: {content}",
    )
    yield ThreadItemDoneEvent(item=item)
    async for event in respond(server, thread, None, context):
        yield event


def keep_widget() -> SyncCustomActionResponse:
    """The answer to an action that wants only its widget changed: nothing is."""
    return SyncCustomActionResponse()
